"""The picture of a face: cut upright, or turned until its eyes are level.

aligned:   ┌───────────┐
           │  o     o  │   the middle of the eyes: half of the width, two fifths of the height
           │     ^     │
           │    ---    │   the side is that of the crop rule; nothing is stretched
           └───────────┘
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from unmask.media.colour import Rgb
from unmask.media.crop import crop_box
from unmask.media.geometry import square_around
from unmask.media.picture import Picture
from unmask.media.portrait import eyes
from unmask.media.values import Box
from unmask.spec import ScanSpec

#: How far above the middle of the crop the eyes are, as a share of its side.
_ABOVE_MIDDLE = 0.1
#: A face that seems more tilted than this was misread: it is cut upright.
_MOST_TILT = 45.0


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a clip frame shows: the box, turned around its middle."""

    picture: Rgb
    box: Box
    #: Degrees, clockwise as seen.
    tilt: float = 0.0


def cut(picture: Picture, face: Box, spec: ScanSpec) -> Cut:
    if spec.align == "eyes":
        left, right = eyes(picture, face)
        tilt = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
        if abs(tilt) <= _MOST_TILT:
            middle = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
            return _turned(picture, _below(middle, tilt, crop_box(face, spec).width), tilt, spec)
    shown, box = picture.crop(crop_box(face, spec), spec.size)
    return Cut(picture=shown, box=box)


def _below(eyes: tuple[float, float], tilt: float, side: float) -> Box:
    """The square whose eyes are where they belong, once it is turned."""
    down, turn = _ABOVE_MIDDLE * side, math.radians(tilt)
    x, y = eyes[0] - down * math.sin(turn), eyes[1] + down * math.cos(turn)
    return Box(x=x - side / 2, y=y - side / 2, width=side, height=side)


def _turned(picture: Picture, square: Box, tilt: float, spec: ScanSpec) -> Cut:
    """Antialiased first, in an upright square that holds the turned one, then turned."""
    turn = math.radians(tilt)
    reach = square.width * (abs(math.cos(turn)) + abs(math.sin(turn)))
    pixels = math.ceil(spec.size * reach / square.width)
    around, region = picture.crop(square_around(square, reach), pixels)
    x, y = square.x + square.width / 2 - region.x, square.y + square.height / 2 - region.y
    per_pixel = square.width / spec.size * pixels / region.width
    middle = x * pixels / region.width - 0.5, y * pixels / region.height - 0.5
    shown = cv2.warpAffine(
        around,
        _from_upright(middle, turn, per_pixel, spec.size),
        (spec.size, spec.size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Cut(picture=np.asarray(shown, dtype=np.uint8), box=square, tilt=round(tilt, 2))


def _from_upright(
    middle: tuple[float, float], turn: float, scale: float, size: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Where each pixel of the turned square is found in the upright one."""
    along, across = scale * math.cos(turn), scale * math.sin(turn)
    half = (size - 1) / 2
    return np.array(
        [
            [along, -across, middle[0] - half * (along - across)],
            [across, along, middle[1] - half * (across + along)],
        ]
    )
