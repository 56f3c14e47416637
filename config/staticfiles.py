"""Static files under names that carry their hash, the imports between our ES modules included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; adds that `import … from "./x.js"` is rewritten to the hashed name too."""

    support_js_module_import_aggregation = True
