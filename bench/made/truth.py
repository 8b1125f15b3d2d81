"""Films of known truth in every condition that faces are found in."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.made.boxes import squared
from bench.made.faces import (
    ADMIRAL_FACE,
    ASTRONAUT_FACE,
    Rgb,
    admiral,
    astronaut,
    head,
)
from bench.made.film import Scene, backdrop, paste
from unmask.media.geometry import iou
from unmask.media.values import Box

SIZE = (640, 360)
#: A detector's box and one drawn by hand name the same face from here on.
SAME_FACE = 0.4

Sides = Callable[[int], float]
Change = Callable[[Rgb], Rgb]
_HEADS = {
    "astronaut": lambda: head(astronaut(), ASTRONAUT_FACE),
    "admiral": lambda: head(admiral(), ADMIRAL_FACE),
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Who is seen, how large, and what is done to the picture."""

    who: str = "astronaut"
    side: Sides = lambda _: 90.0
    change: Change = lambda picture: picture
    #: Pixels that the face moves from one frame to the next.
    speed: float = 4.0

    def film(self, count: int) -> Scene:
        cut, face = _HEADS[self.who]()
        scene, back = Scene(), backdrop(*SIZE)
        for index in range(count):
            canvas = back.copy()
            box = paste(canvas, cut, face, self.side(index), self._middle(index))
            scene.pictures.append(self.change(canvas))
            scene.faces.append({self.who: box})
        return scene

    def _middle(self, index: int) -> tuple[float, float]:
        """Round an ellipse."""
        angle = index * self.speed / 140
        return 320 + 170 * math.sin(angle), 180 + 40 * math.cos(angle)


def _scaled(share: float) -> Change:
    return lambda picture: (picture * share).astype(np.uint8)


def _blurred(sigma: float) -> Change:
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def _noisy(picture: Rgb) -> Rgb:
    chance = np.random.default_rng(int(picture[0, 0, 0]))
    noise: NDArray[np.float64] = chance.normal(0, 12, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


#: Faces of at least 64 pixels, near frontal.
CONDITIONS: dict[str, Condition] = {
    "plain": Condition(),
    "another person": Condition(who="admiral"),
    "small, 64 px": Condition(side=lambda _: 64.0),
    "large, 180 px": Condition(side=lambda _: 180.0, speed=2),
    "quick": Condition(speed=12),
    "zoom": Condition(side=lambda index: 64 + 2.0 * index, speed=2),
    "dark": Condition(change=_scaled(0.3)),
    "very dark": Condition(change=_scaled(0.15)),
    "blurred": Condition(change=_blurred(2.0)),
    "noisy": Condition(change=_noisy),
    "small, dark and blurred": Condition(
        side=lambda _: 64.0, change=lambda picture: _blurred(1.0)(_scaled(0.4)(picture))
    ),
}


def overlap(found: Box, truth: Box) -> float:
    """Of the squares round both: detectors differ in where a face ends above and below."""
    return iou(squared(found), squared(truth))
