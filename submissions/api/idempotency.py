"""The header `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it."""

from __future__ import annotations

import re
from io import BytesIO
from typing import BinaryIO, Final, cast

from rest_framework.request import Request

from common.errors import Location, ParameterInvalidError
from submissions.services import BodyPart, IdempotencyKey

HEADER: Final = "Idempotency-Key"
MAX_KEY_CHARACTERS: Final = 255
BARE_KEY: Final = re.compile(r"[\x20\x21\x23-\x7e][\x20-\x7e]*")
QUOTED_KEY: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')
"""A String of RFC 9651, which is how the draft writes a key."""


def key_of(request: Request) -> IdempotencyKey | None:
    """The key that was sent with the call, and all that was: also the parts that nobody reads; None without a key."""
    header = request.headers.get(HEADER)
    if header is None:
        return None
    texts = [BodyPart(name, BytesIO(text.encode())) for name, sent in request.POST.lists() for text in sent]
    files = [BodyPart(name, cast("BinaryIO", file), file.name) for name, sent in request.FILES.lists() for file in sent]
    return IdempotencyKey(parse_key(header), request.path, [*texts, *files], field=HEADER)


def parse_key(text: str) -> str:
    """The key that the header holds: 1 to 255 printable ASCII characters, in quotation marks or not, the same key.

    Raises `ParameterInvalidError`.
    """
    if match := QUOTED_KEY.fullmatch(text):
        key = re.sub(r"\\(.)", r"\1", match[1])
    else:
        key = text if BARE_KEY.fullmatch(text) else ""
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        sentence = f"“{HEADER}” is not a key of 1 to {MAX_KEY_CHARACTERS} printable ASCII characters."
        raise ParameterInvalidError(sentence, Location(field=HEADER))
    return key
