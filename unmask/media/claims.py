"""What a file that can't be opened says it is, by its first bytes."""

from typing import BinaryIO

from unmask.errors import Refused
from unmask.outcomes import Outcome

_HEAD_BYTES = 16
#: FFmpeg says "Invalid argument" of it.
NOT_AMONG_THEM = "a kind of file that is not opened here"
#: Boxes that an MP4 or QuickTime file may begin with; their names stand after the length.
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide"})
_STARTS = {
    b"\x1a\x45\xdf\xa3": "a Matroska or WebM file",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG\r\n": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"II+\x00": "a BigTIFF picture",
    b"MM\x00+": "a BigTIFF picture",
    b"FLV\x01": "an FLV file",
    b"OggS": "an Ogg file",
}
_FORMS = {b"AVI ": "an AVI file", b"WEBP": "a WebP picture"}


def unopened(file: BinaryIO, words: str | None, *, is_of_another_kind: bool = False) -> Refused:
    """A broken video is not the same as no video: somebody may have the whole file."""
    file.seek(0)
    claim = _claim(file.read(_HEAD_BYTES))
    if claim is None:
        words = NOT_AMONG_THEM if is_of_another_kind else words
        return Refused(Outcome.NOT_MEDIA, f"no picture and no video ({words})")
    return Refused(
        Outcome.UNDECODABLE,
        f"it begins as {claim} does but can't be opened, as if cut off ({words})",
    )


def _claim(head: bytes) -> str | None:
    if head[4:8] in _MP4_BOXES:
        return "an MP4 file"
    if head[:4] == b"RIFF":
        return _FORMS.get(head[8:12])
    return next((claim for start, claim in _STARTS.items() if head.startswith(start)), None)
