"""From a decoder's frame to our picture, without copying or converting its samples."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import Colorspace

from unmask.media.colour import Colour, Matrix, Rgb, Samples
from unmask.media.display import turned
from unmask.media.geometry import View
from unmask.media.light import Transfer
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
#: Of them, what holds every signal in full.
_SPREAD = "yuv444p12le"
_LIMITED_RANGE, _FULL_RANGE = 1, 2
#: The numbers of ITU-T H.273 for the matrices in use.
_MATRICES: dict[int, Matrix] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
_SCALER_MATRICES: dict[Matrix, Colorspace] = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}
#: Players take untagged video for HD above this height.
_SD_HEIGHT = 576
#: Pixels wider or flatter than this are a lie in the header.
_MAX_ASPECT = 8.0


#: The numbers of ITU-T H.273 for the light that a signal stands for, and for wide primaries.
TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
WIDE = 9
_WHITE = 255


def to_picture(frame: VideoFrame, time_s: float, pixel_aspect: float, codec: str) -> Picture:
    turns, mirrored = turned(frame, codec)
    view = _view(frame.width, frame.height, turns, mirrored, usable_aspect(pixel_aspect))
    layout = frame.format.name
    if layout not in _PLANAR and _is_beyond_a_screen(frame):
        frame, layout = _spread(frame), _SPREAD
    plain = layout in _PLANAR
    planes = _planes(frame, _PLANAR[layout]) if plain else (_packed(frame),)
    if frame.interlaced_frame:
        planes = tuple(_first_field(plane) for plane in planes)
    if not plain:
        return Picture(time_s=time_s, view=view, planes=planes)
    return Picture(
        time_s=time_s, view=view, planes=planes, colour=_colour(frame, layout), owner=frame
    )


#: A film's frames are all alike, so few views and colours are made for many frames.
_FEW = 64


@lru_cache(_FEW)
def _view(width: int, height: int, turns: int, mirrored: bool, aspect: float) -> View:
    return View(
        coded_width=width, coded_height=height, turns=turns, mirrored=mirrored, aspect=aspect
    )


def _planes(frame: VideoFrame, depth: int) -> tuple[Samples, ...]:
    kind = np.uint8 if depth == 8 else np.uint16
    return tuple([_plane(plane, kind) for plane in frame.planes])


def _first_field(plane: Samples) -> Samples:
    """Every other line: those between them were taken half a frame later."""
    return plane[::2]


def _is_beyond_a_screen(frame: VideoFrame) -> bool:
    return int(frame.color_trc) in TRANSFERS or int(frame.color_primaries) == WIDE


def _spread(frame: VideoFrame) -> VideoFrame:
    """Its signals on planes: eight bits of RGB would say nothing of the light they stand for."""
    matrix = _SCALER_MATRICES[_matrix(frame)]
    return frame.reformat(
        format=_SPREAD,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        dst_color_range=_LIMITED_RANGE,
    )


def _packed(frame: VideoFrame) -> Rgb:
    """A layout that is rarely met, as RGB; on white where it is clear, as a page would show it."""
    matrix = _SCALER_MATRICES[_matrix(frame)]
    if not any(component.is_alpha for component in frame.format.components):
        return np.asarray(frame.to_ndarray(format="rgb24", src_colorspace=matrix), np.uint8)
    rgba = np.asarray(frame.to_ndarray(format="rgba", src_colorspace=matrix), np.uint8)
    alpha = rgba[..., 3:].astype(np.uint16)
    on_white = rgba[..., :3] * alpha + _WHITE * (_WHITE - alpha)
    return ((on_white + _WHITE // 2) // _WHITE).astype(np.uint8)


def usable_aspect(aspect: float) -> float:
    sane = math.isfinite(aspect) and 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT
    return aspect if sane else 1.0


def _plane(plane: Any, kind: type[np.uint8 | np.uint16]) -> Samples:
    """Without what pads its lines; as one call, since a film has many planes."""
    steps = abs(plane.line_size), np.dtype(kind).itemsize
    return np.ndarray((plane.height, plane.width), kind, plane, strides=steps)


def _colour(frame: VideoFrame, layout: str) -> Colour:
    told = frame.color_range, frame.color_trc, frame.color_primaries
    return _told_colour(layout, _matrix(frame), *map(int, told))


@lru_cache(_FEW)
def _told_colour(
    layout: str, matrix: Matrix, light_range: int, transfer: int, primaries: int
) -> Colour:
    return Colour(
        matrix=matrix,
        full_range=light_range == _FULL_RANGE or layout.startswith(("yuvj", "gray")),
        depth=_PLANAR[layout],
        transfer=TRANSFERS.get(transfer, "sdr"),
        wide=primaries == WIDE,
    )


def _matrix(frame: VideoFrame) -> Matrix:
    untagged: Matrix = "bt709" if min(frame.width, frame.height) > _SD_HEIGHT else "bt601"
    return _MATRICES.get(int(frame.colorspace), untagged)
