"""From the picture as shown to the pixels as coded, and back: turns, mirrors, flat pixels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unmask.media.values import Box


@dataclass(frozen=True, kw_only=True)
class View:
    """How a decoded picture is meant to be seen.

    A phone held upright codes 1920×1080 and says "turn by 90°"; a DVD codes 720×576 and says
    "each pixel is 16:15 wide". Faces are found and boxes are told in the picture as shown.
    """

    coded_width: int
    coded_height: int
    #: Quarter turns, counter-clockwise, from coded to shown.
    turns: int = 0
    #: Left and right change places before the turn.
    mirrored: bool = False
    #: Width of a pixel over its height.
    aspect: float = 1.0

    @cached_property
    def _upright(self) -> tuple[float, float]:
        """Width and height after the pixels are made square, before the turn; never smaller."""
        if self.aspect >= 1:
            return self.coded_width * self.aspect, float(self.coded_height)
        return float(self.coded_width), self.coded_height / self.aspect

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height as shown."""
        width, height = (round(side) for side in self._upright)
        return (height, width) if self.turns % 2 else (width, height)

    def to_coded(self, box: Box) -> Box:
        """The same region in coded pixels."""
        width, height = self._upright
        turned = self._mirror(_turned_back(box, width, height, self.turns))
        x_scale, y_scale = self.coded_width / width, self.coded_height / height
        return _scaled(turned, x_scale, y_scale)

    def to_shown(self, box: Box) -> Box:
        """A region in coded pixels, in the picture as shown."""
        width, height = self._upright
        scales = width / self.coded_width, height / self.coded_height
        upright = self._mirror(_scaled(box, *scales))
        if self.turns % 2:
            width, height = height, width
        return _turned_back(upright, width, height, -self.turns)

    def _mirror(self, box: Box) -> Box:
        if not self.mirrored:
            return box
        x = self._upright[0] - box.x - box.width
        return Box(x=x, y=box.y, width=box.width, height=box.height)

    def shown(self, coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture with square pixels, mirrored and turned as it is meant to be seen."""
        if self.turns % 4 == 0 and not self.mirrored:
            return coded
        mirrored = coded[:, ::-1] if self.mirrored else coded
        return np.ascontiguousarray(np.rot90(mirrored, self.turns))


def _scaled(box: Box, x: float, y: float) -> Box:
    return Box(x=box.x * x, y=box.y * y, width=box.width * x, height=box.height * y)


def _turned_back(box: Box, width: float, height: float, turns: int) -> Box:
    """Undo counter-clockwise quarter turns; `width` and `height` are those before the turn."""
    right, below = width - box.x - box.width, height - box.y - box.height
    x, y, swapped = {
        0: (box.x, box.y, False),
        1: (width - box.y - box.height, box.x, True),
        2: (right, below, False),
        3: (box.y, height - box.x - box.width, True),
    }[turns % 4]
    sides = (box.height, box.width) if swapped else (box.width, box.height)
    return Box(x=x, y=y, width=sides[0], height=sides[1])


def iou(one: Box, other: Box) -> float:
    """Shared area over joint area: 1 for the same box, 0 for boxes apart."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def between(one: Box, other: Box, share: float) -> Box:
    """The box at `share` of the way from one to the other."""
    keep = 1 - share
    return Box(
        x=one.x * keep + other.x * share,
        y=one.y * keep + other.y * share,
        width=one.width * keep + other.width * share,
        height=one.height * keep + other.height * share,
    )


def centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def square_around(box: Box, side: float) -> Box:
    """A square of that side with the same centre."""
    x, y = centre(box)
    return Box(x=x - side / 2, y=y - side / 2, width=side, height=side)
