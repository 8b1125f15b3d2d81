"""Whether a file is shorter than it says: what was cut off often decodes without an error."""

import os
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from unmask.media.holes import Holed

_HEAD_BYTES = 512
#: Some writers count a little too much.
_SLACK = 16
#: A file of more boxes than this is one of fragments; the first ones will do.
_MOST_BOXES = 4096
_LARGE = 1
#: Boxes that an ISO file is made of. Another name is no box: cameras and editors put words,
#: pictures or tables of their own behind a film, and those tell no size.
_BOXES = frozenset(
    {
        *(b"ftyp", b"styp", b"pdin", b"moov", b"moof", b"mfra", b"mdat", b"imda", b"meta", b"meco"),
        *(b"sidx", b"ssix", b"prft", b"emsg", b"free", b"skip", b"wide", b"junk", b"pnot", b"uuid"),
        *(b"udta", b"PICT", b"mini"),
    }
)
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_TS_PACKET, _TS_SYNC = 188, 0x47
#: Cameras and discs write four bytes of time before each packet.
_TIMED = 4
_GIF_END = b"\x3b"
#: How the header of an ASF file begins, and the data behind it; a size follows each.
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")


def cut_short(file: BinaryIO) -> str:
    """Says so, or is empty where nothing tells. Leaves the file at its beginning."""
    if isinstance(file, Holed):
        return ""  # it is not all here on purpose, and walking through it would bring it all
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    told = next((tell(file) for fits, tell in _KINDS if fits(head)), length)
    file.seek(0)
    if told <= length + _SLACK:
        return ""
    return "the file is shorter than it says of itself: it was cut off"


def _riff(file: BinaryIO) -> int:
    return 8 + int.from_bytes(file.read(8)[4:], "little")


def _boxes(file: BinaryIO) -> int:
    """Where the last of the boxes of an ISO file ends, which follow one another."""
    length, place = file.seek(0, os.SEEK_END), 0
    for _ in range(_MOST_BOXES):
        if place > length:  # maybe farther than any file reaches
            break
        file.seek(place)
        start = file.read(16)
        if start[4:8] not in _BOXES:
            break
        size = int.from_bytes(start[:4], "big")
        if size == _LARGE:
            size = int.from_bytes(start[8:16], "big")
        if size < 8:
            return 0
        place += size
    return place


def _matroska(file: BinaryIO) -> int:
    """The segment follows the header; a live one does not know its size."""
    head = file.read(_HEAD_BYTES)
    header, at = _vint(head, 4)
    segment = at + header
    if head[segment : segment + 4] != _SEGMENT:
        return 0
    size, at = _vint(head, segment + 4)
    unknown = size == (1 << 7 * (at - segment - 4)) - 1
    return 0 if unknown else at + size


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A number whose leading zero bits tell how many bytes it has; and where it ends."""
    if at >= len(data) or not data[at]:
        return 0, at + 1
    count = 9 - data[at].bit_length()
    number = int.from_bytes(data[at : at + count], "big")
    return number & ((1 << 7 * count) - 1), at + count


def _asf(file: BinaryIO) -> int:
    """The data follow the header; a live one does not know their size, and says zero."""
    header = int.from_bytes(file.read(24)[16:], "little")
    if header > file.seek(0, os.SEEK_END):  # maybe farther than any file reaches
        return header
    file.seek(header)
    data = file.read(24)
    return header + int.from_bytes(data[16:], "little") if data[:16] == _ASF_DATA else 0


def _gif(file: BinaryIO) -> int:
    """It ends with a semicolon, and maybe zeros; how much is missing nobody knows."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _HEAD_BYTES))
    whole = file.read().rstrip(b"\0").endswith(_GIF_END)
    return length if whole else length + _SLACK + 1


def _is_transport(head: bytes, before: int) -> bool:
    syncs = head[before :: _TS_PACKET + before][:2]
    return syncs == bytes([_TS_SYNC] * 2)


def _transport(file: BinaryIO, before: int) -> int:
    length = file.seek(0, os.SEEK_END)
    rest = length % (_TS_PACKET + before)
    return length + (_TS_PACKET + _SLACK if rest else 0)


_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO], int]], ...] = (
    (lambda head: head[:4] == b"RIFF", _riff),
    (lambda head: head[4:8] == b"ftyp", _boxes),
    (lambda head: head[:4] == _EBML, _matroska),
    (lambda head: head[:16] == _ASF_HEADER, _asf),
    (lambda head: head[:4] == b"GIF8", _gif),
    *(
        (partial(_is_transport, before=before), partial(_transport, before=before))
        for before in (0, _TIMED)
    ),
)
