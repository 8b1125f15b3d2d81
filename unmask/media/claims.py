"""What a file that can't be opened says it is, by its first bytes."""

from typing import BinaryIO

import av

from unmask.errors import Refused
from unmask.outcomes import Outcome

_HEAD_BYTES = 16
#: Boxes that an MP4 or QuickTime file may begin with; their names stand after the length.
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide"})
_MATROSKA = b"\x1a\x45\xdf\xa3"


def unopened(file: BinaryIO, error: av.FFmpegError) -> Refused:
    """A broken video is not the same as no video: somebody may have the whole file."""
    file.seek(0)
    claim = _claim(file.read(_HEAD_BYTES))
    if claim is None:
        return Refused(Outcome.NOT_MEDIA, f"no picture and no video ({error.strerror})")
    return Refused(
        Outcome.UNDECODABLE,
        f"it begins as {claim} does but can't be opened, as if cut off ({error.strerror})",
    )


def _claim(head: bytes) -> str | None:
    if head[4:8] in _MP4_BOXES:
        return "an MP4 file"
    if head.startswith(_MATROSKA):
        return "a Matroska or WebM file"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "an AVI file"
    return None
