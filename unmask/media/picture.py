"""One decoded moment, from which small pictures and faces are cut without converting the whole."""

import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.colour import Colour, Rgb, Samples, to_grey, to_rgb
from unmask.media.geometry import View
from unmask.media.values import Box

Grey = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Planes as the decoder left them: luma and chroma, luma alone, or one packed RGB plane."""

    time_s: float
    view: View
    planes: tuple[Samples, ...] = field(repr=False)
    colour: Colour = field(default_factory=Colour)
    #: Whatever owns the memory under the planes; it lives as long as the picture.
    owner: Any = field(default=None, repr=False)

    def small_rgb(self, longest: int) -> Rgb:
        """The whole picture as shown, its longer side at most `longest`."""
        width, height = self._small_size(longest)
        whole = [_shrunk(plane, width, height) for plane in self.planes]
        return self.view.shown(self._rgb(whole))

    def small_grey(self, longest: int) -> Grey:
        width, height = self._small_size(longest)
        return self.view.shown(self._grey(_resized(self.planes[0], width, height)))

    def crop(self, box: Box, size: int) -> tuple[Rgb, Box]:
        """A region as shown, as a square picture; and the region snapped to the sample grid."""
        region = self._region(box)
        cut = [_resized(self._cut(plane, region), size, size) for plane in self.planes]
        return self.view.shown(self._rgb(cut)), self.view.to_shown(region)

    def crop_grey(self, box: Box, size: int) -> tuple[Grey, Box]:
        """As `crop`, but only good for finding something again."""
        region = self._region(box)
        cut = _sampled(self._cut(self.planes[0], region), size)
        return self.view.shown(self._grey(cut)), self.view.to_shown(region)

    def glance(self, width: int, height: int) -> Grey:
        """A few samples of the coded picture, only good for comparing with another glance."""
        few = cv2.resize(self.planes[0], (width, height), interpolation=cv2.INTER_LINEAR)
        return self._grey(few)

    def _small_size(self, longest: int) -> tuple[int, int]:
        """Coded width and height of the small picture; square pixels, never enlarged."""
        shown = self.view.size
        scale = min(1.0, longest / max(shown))
        width, height = shown if self.view.turns % 2 == 0 else shown[::-1]
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _region(self, box: Box) -> Box:
        """The coded region on whole chroma samples, so that every plane is cut exactly."""
        coded, (x_grid, y_grid) = self.view.to_coded(box), self._grid
        width = max(x_grid, round(coded.width / x_grid) * x_grid)
        height = max(y_grid, round(coded.height / y_grid) * y_grid)
        x = round((coded.x + (coded.width - width) / 2) / x_grid) * x_grid
        y = round((coded.y + (coded.height - height) / 2) / y_grid) * y_grid
        return Box(x=x, y=y, width=width, height=height)

    @property
    def _grid(self) -> tuple[int, int]:
        """Luma samples per chroma sample, across and down."""
        height, width = self.planes[-1].shape[:2]
        view = self.view
        return math.ceil(view.coded_width / width), math.ceil(view.coded_height / height)

    def _cut(self, plane: Samples, region: Box) -> Samples:
        height, width = plane.shape[:2]
        x_scale = round(self.view.coded_width / width)
        y_scale = round(self.view.coded_height / height)
        left, right = (int(x) // x_scale for x in (region.x, region.x + region.width))
        top, bottom = (int(y) // y_scale for y in (region.y, region.y + region.height))
        return _padded(plane, left, top, right, bottom)

    def _rgb(self, planes: list[Samples]) -> Rgb:
        if planes[0].ndim == 3:
            return np.asarray(planes[0], dtype=np.uint8)
        return to_rgb(planes, self.colour)

    def _grey(self, plane: Samples) -> Grey:
        if plane.ndim == 3:
            return np.asarray(cv2.cvtColor(plane, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        return to_grey(plane, self.colour)


def _resized(plane: Samples, width: int, height: int) -> Samples:
    """Area averaging where it shrinks (no aliasing), cubic where it grows."""
    if plane.shape[1] == width and plane.shape[0] == height:
        return plane
    # One way at a time where it shrinks one way only: area averaging does not enlarge.
    least = min(plane.shape[1], width), min(plane.shape[0], height)
    if least != plane.shape[1::-1]:
        plane = cv2.resize(plane, least, interpolation=cv2.INTER_AREA)
    if least == (width, height):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC)


def _shrunk(plane: Samples, width: int, height: int) -> Samples:
    """Halved first, as often as that comes out even: many times quicker than in one step."""
    while _halves(plane.shape[1], width) and _halves(plane.shape[0], height):
        half = plane.shape[1] // 2, plane.shape[0] // 2
        plane = cv2.resize(plane, half, interpolation=cv2.INTER_AREA)
    return _resized(plane, width, height)


def _halves(length: int, wanted: int) -> bool:
    return length % 2 == 0 and length >= 2 * wanted


def _sampled(plane: Samples, side: int) -> Samples:
    """The mean of a few samples in place of all of them."""
    if min(plane.shape[:2]) > 2 * side:
        plane = cv2.resize(plane, (2 * side, 2 * side), interpolation=cv2.INTER_LINEAR)
    return _resized(plane, side, side)


def _padded(plane: Samples, left: int, top: int, right: int, bottom: int) -> Samples:
    """A rectangle that may reach over the edge; what lies beyond repeats the edge."""
    height, width = plane.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return plane[top:bottom, left:right]
    inside = plane[_within(top, bottom, height), _within(left, right, width)]
    above, below = _padding(-top, bottom - top - inside.shape[0])
    before, after = _padding(-left, right - left - inside.shape[1])
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)


def _within(start: int, stop: int, length: int) -> slice:
    """The part of start…stop inside the plane; at least the sample nearest to it."""
    start = min(max(start, 0), length - 1)
    return slice(start, max(min(stop, length), start + 1))


def _padding(before: int, missing: int) -> tuple[int, int]:
    """Samples to add before and after."""
    before = min(max(0, before), missing)
    return before, missing - before
