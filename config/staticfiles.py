"""Static files under names that carry their hash, the imports between our ES modules included, and their headers."""

from __future__ import annotations

import re
from typing import Final
from wsgiref.headers import Headers

from whitenoise.storage import CompressedManifestStaticFilesStorage

_SCRIPT: Final = re.compile(r"\.m?js$")
_WORKER: Final = re.compile(r"/files/examining/worker(\.[0-9a-f]{12})?\.js$")


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; adds that `import … from "./x.js"` is rewritten to the hashed name too."""

    support_js_module_import_aggregation = True
    # A pass for each module of the longest chain of imports, whose order the file system may turn round.
    max_post_process_passes = 20


def add_headers(headers: Headers, _path: str, url: str) -> None:
    """Give scripts a Content-Security-Policy, which counts where one runs as a Worker: pages have their own.

    The Worker that reads files compiles WebAssembly, for checksums; no page may, nor may any other script.
    """
    if _WORKER.search(url):
        headers["Content-Security-Policy"] = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
    elif _SCRIPT.search(url):
        headers["Content-Security-Policy"] = "default-src 'none'"
