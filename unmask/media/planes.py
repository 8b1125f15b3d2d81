"""From a decoder's frame to our picture, without copying or converting its samples."""

import math
from typing import Any

import numpy as np
from av import VideoFrame

from unmask.media.colour import Colour, Matrix, Samples
from unmask.media.geometry import View
from unmask.media.picture import Picture

#: Planar formats read as they are: name → bits per sample.
_PLANAR = {
    "yuv420p": 8,
    "yuvj420p": 8,
    "yuv422p": 8,
    "yuvj422p": 8,
    "yuv444p": 8,
    "yuvj444p": 8,
    "gray": 8,
    "yuv420p10le": 10,
    "yuv422p10le": 10,
    "yuv444p10le": 10,
    "yuv420p12le": 12,
    "yuv422p12le": 12,
    "yuv444p12le": 12,
}
_FULL_RANGE = 2
#: The numbers of ITU-T H.273 for the matrices in use.
_MATRICES: dict[int, Matrix] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
#: Players take untagged video for HD above this height.
_SD_HEIGHT = 576
#: Pixels wider or flatter than this are a lie in the header.
_MAX_ASPECT = 8.0


def to_picture(frame: VideoFrame, time_s: float, pixel_aspect: float) -> Picture:
    view = View(
        coded_width=frame.width,
        coded_height=frame.height,
        turns=round(frame.rotation / 90) % 4,
        aspect=usable_aspect(pixel_aspect),
    )
    if frame.format.name in _PLANAR:
        planes = tuple(_plane(plane, _PLANAR[frame.format.name]) for plane in frame.planes)
        return Picture(time_s=time_s, view=view, planes=planes, colour=_colour(frame), owner=frame)
    packed = frame.to_ndarray(format="rgb24")
    return Picture(time_s=time_s, view=view, planes=(packed,))


def usable_aspect(aspect: float) -> float:
    sane = math.isfinite(aspect) and 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT
    return aspect if sane else 1.0


def _plane(plane: Any, depth: int) -> Samples:
    kind = np.uint8 if depth == 8 else np.uint16
    rows = np.frombuffer(plane, dtype=kind).reshape(plane.height, -1)
    return rows[:, : plane.width]


def _colour(frame: VideoFrame) -> Colour:
    untagged: Matrix = "bt709" if min(frame.width, frame.height) > _SD_HEIGHT else "bt601"
    name = frame.format.name
    return Colour(
        matrix=_MATRICES.get(int(frame.colorspace), untagged),
        full_range=int(frame.color_range) == _FULL_RANGE or name.startswith(("yuvj", "gray")),
        depth=_PLANAR[name],
    )
