"""How a frame wants to be turned and mirrored, from the matrix in its file's header."""

import struct
from contextlib import suppress
from typing import Any

from av import VideoFrame
from av.sidedata.sidedata import SideDataContainer

_QUARTER = 90
#: Its stub hides what it takes.
_SIDE_DATA: Any = SideDataContainer


#: Their frames tell a colour profile by name beside the picture. PyAV frees such a name, and so
#: does FFmpeg: whoever reads what is told beside them breaks the memory.
NAMES_PROFILES = frozenset({"png", "apng"})


def turned(frame: VideoFrame, codec: str) -> tuple[int, bool]:
    """Quarter turns counter-clockwise, and whether left and right change places before them."""
    mirrored = codec not in NAMES_PROFILES and _mirrors(frame)
    # FFmpeg tells the angle as if nothing were mirrored, which is half a turn too much then.
    angle = frame.rotation + 2 * _QUARTER * mirrored
    return round(angle / _QUARTER) % 4, mirrored


def _mirrors(frame: VideoFrame) -> bool:
    """A matrix ((a, b, ·), (c, d, ·), …) whose determinant is negative turns a picture over."""
    # `frame.side_data` would be kept in the frame, which it keeps in turn: neither would ever go.
    told = _told_beside(frame)
    matrix: Any = told.get("DISPLAYMATRIX") if len(told) else None
    if matrix is None:
        return False
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    return bool(a * d - b * c < 0)


def _told_beside(frame: VideoFrame) -> Any:
    """PyAV's list ends at a kind that it has no name for, such as a camera's own notes."""
    told = _SIDE_DATA.__new__(_SIDE_DATA)
    with suppress(ValueError):
        told.__init__(frame)
    return told
