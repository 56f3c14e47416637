"""Rules for the names of files: which can be downloaded safely everywhere, and which are the same name."""

from __future__ import annotations

import re
import unicodedata

from submissions.errors import quoted

MAX_NAME_CHARACTERS = 255
SURROGATE = re.compile("[\ud800-\udfff]")
NOT_ALLOWED = (
    (re.compile(r'[<>:"/\\|?*]'), "character"),
    (re.compile(r"[\x00-\x1f\x7f-\x9f]"), "control character"),
    (re.compile("[\u202a-\u202e\u2066-\u2069]"), "bidirectional override"),
    (SURROGATE, "lone surrogate"),
)


def check_file_name(name: str) -> str | None:
    """Why a file cannot have this name, as a sentence that names the character; None if it can.

    The length is in Unicode code points, as in the database. Windows refuses the printable characters among
    the forbidden ones; bidirectional overrides make `gpj.exe` look like `exe.jpg`.
    """
    if not name:
        return "The file name is empty."
    if len(name) > MAX_NAME_CHARACTERS:
        return f"The file name has {len(name)} characters; at most {MAX_NAME_CHARACTERS} are allowed."
    for pattern, kind in NOT_ALLOWED:
        if found := pattern.search(name):
            character = found[0] if found[0].isprintable() else f"U+{ord(found[0]):04X}"
            return f"The file name {quoted(name)} contains the {kind} {character}, which is not allowed."
    if name != name.strip():
        return f"The file name {quoted(name)} begins or ends with white space."
    if name in {".", ".."}:
        return f"The file name {quoted(name)} means a folder, not a file."
    return None


def name_key(name: str) -> str:
    """What two file names have in common when they count as the same: equal after NFC and case folding.

    Case folding can take composed letters apart (ΐ becomes three code points), while the same letters
    arriving in another case stay composed: hence NFC once more behind it.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
