"""From decoded samples to RGB: matrix, range, depth and light, applied to small pictures only."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.light import Transfer, on_a_screen

Samples = NDArray[Any]
Rgb = NDArray[np.uint8]
Matrix = Literal["bt601", "bt709", "bt2020"]

#: Weights of red and blue in luma (ITU-R BT.601, BT.709, BT.2020).
_LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
_MIDDLE = 128.0


@dataclass(frozen=True, kw_only=True)
class Colour:
    """How the samples of a picture are meant."""

    matrix: Matrix = "bt601"
    #: True where black is 0 and white is 255, False where they are 16 and 235.
    full_range: bool = False
    #: Bits per sample.
    depth: int = 8
    #: What the signal means in light: an ordinary screen's, or one of the two of HDR.
    transfer: Transfer = "sdr"
    #: True for the primaries of BT.2020, which hold more colours than a screen shows.
    wide: bool = False

    @property
    def is_plain(self) -> bool:
        return self.transfer == "sdr" and not self.wide


def to_rgb(planes: list[Samples], colour: Colour) -> Rgb:
    """Luma and two chroma planes of one size become an RGB picture."""
    if not colour.is_plain:
        return _hdr_to_rgb(planes, colour)
    eight = [_eight_bits(plane, colour.depth) for plane in planes]
    if len(eight) == 1:
        eight = [eight[0], *[np.full_like(eight[0], int(_MIDDLE))] * 2]
    affine = _affine(colour.matrix, colour.full_range)
    return np.asarray(cv2.transform(cv2.merge(eight), affine), dtype=np.uint8)


def _hdr_to_rgb(planes: list[Samples], colour: Colour) -> Rgb:
    """In full precision: PQ has no bit to spare."""
    if len(planes) == 1:
        planes = [planes[0], *[np.full_like(planes[0], 1 << (colour.depth - 1))] * 2]
    samples = cv2.merge(planes).astype(np.float32) * np.float32(_share_of_eight(colour.depth))
    signal = cv2.transform(samples, _affine(colour.matrix, colour.full_range)) / np.float32(255)
    return on_a_screen(signal, colour.transfer, wide=colour.wide)


def to_grey(luma: Samples, colour: Colour) -> NDArray[np.uint8]:
    if not colour.is_plain:
        table = _greys(colour)
        return table[np.minimum(luma, len(table) - 1)]
    return np.asarray(_eight_bits(luma, colour.depth), dtype=np.uint8)


def _eight_bits(plane: Samples, depth: int) -> Samples:
    if plane.dtype == np.uint8:
        return plane
    return cv2.convertScaleAbs(plane, alpha=_share_of_eight(depth))


def _share_of_eight(depth: int) -> float:
    """What a sample is worth in samples of eight bits."""
    return 1 / (1 << (depth - 8))


@cache
def _greys(colour: Colour) -> NDArray[np.uint8]:
    """What a screen shows for every luma there is."""
    luma = np.arange(1 << colour.depth, dtype=np.uint16)[None]
    return np.ascontiguousarray(_hdr_to_rgb([luma], colour)[0, :, 1])


@cache
def _affine(matrix: Matrix, full_range: bool) -> NDArray[np.float32]:
    """Three rows of (y, u, v, 1) weights that give red, green and blue."""
    red, blue = _LUMA[matrix]
    green = 1 - red - blue
    rows = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
    black, scale = (0.0, (1.0, 1.0)) if full_range else (16.0, (255 / 219, 255 / 224))
    rows *= np.array([scale[0], scale[1], scale[1]])
    offset = -rows @ np.array([black, _MIDDLE, _MIDDLE])
    return np.hstack([rows, offset[:, None]]).astype(np.float32)
