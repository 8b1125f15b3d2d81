"""Names of objects. A name carries the hash of its bytes, so writing it twice changes nothing.

    clips/<sha256 of the file>/<scan spec>/<person>-<sha256 of the clip>
    clips/<sha256 of the file>/<scan spec>/manifest-<sha256 of the manifest>
    evidence/<sha256 of the file>/<scan spec>/<model>/<person>-<window>-<sha256 of the picture>.jpg

Evidence belongs to the clips that it was drawn from, so it bears their scan spec too. Earlier
versions left that out; such names are keys as well, and are read and deleted like the others.

No part of a name comes from outside: only digests, small numbers and our own words.
"""

import re

from unmask.errors import UnmaskError

#: Object stores take 1,024 bytes, file systems 255 a segment; ours need far less.
MAX_KEY = 400
TOP_FOLDERS = ("clips", "evidence", "checks")

_SEGMENT = r"[a-z0-9](?:[a-z0-9.-]{0,126}[a-z0-9])?"
_KEY = re.compile(rf"(?:{'|'.join(TOP_FOLDERS)})(?:/{_SEGMENT})+", re.ASCII)
_PREFIX = re.compile(
    rf"(?:{'|'.join(TOP_FOLDERS)})(?:/{_SEGMENT})*(?:/|/[a-z0-9][a-z0-9.-]{{0,126}})?",
    re.ASCII,
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


class BadKey(UnmaskError, ValueError):
    """A name that is not one of ours; nothing was read or written."""


def is_key(text: str) -> bool:
    return len(text) <= MAX_KEY and _KEY.fullmatch(text) is not None


def check_key(key: str) -> str:
    if not is_key(key):
        raise BadKey(f"not an object key: {key!r:.120}")
    return key


def check_prefix(prefix: str) -> str:
    if prefix and (len(prefix) > MAX_KEY or not _PREFIX.fullmatch(prefix)):
        raise BadKey(f"not a prefix of object keys: {prefix!r:.120}")
    return prefix


def clip_key(sha256: str, spec_digest: str, *, person: int, clip_sha256: str) -> str:
    return f"{_clips(sha256, spec_digest)}/{_number(person)}-{_sha256(clip_sha256)}"


def manifest_key(sha256: str, spec_digest: str, *, manifest_sha256: str) -> str:
    return f"{_clips(sha256, spec_digest)}/manifest-{_sha256(manifest_sha256)}"


def evidence_key(
    sha256: str,
    spec_digest: str,
    model_digest: str,
    *,
    person: int,
    window: int,
    picture_sha256: str,
) -> str:
    name = f"{_number(person)}-{_number(window)}-{_sha256(picture_sha256)}.jpg"
    folder = f"evidence/{_sha256(sha256)}/{_digest(spec_digest)}/{_digest(model_digest)}"
    return f"{folder}/{name}"


def _clips(sha256: str, spec_digest: str) -> str:
    return f"clips/{_sha256(sha256)}/{_digest(spec_digest)}"


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise BadKey(f"not a SHA-256 in lower-case hex: {text!r:.80}")
    return text


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise BadKey(f"not a digest in lower-case hex: {text!r:.80}")
    return text


def _number(value: int) -> int:
    if not 0 <= value < 1_000_000:
        raise BadKey(f"not a small number: {value}")
    return value
