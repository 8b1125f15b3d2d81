"""What every face detector answers."""

from dataclasses import dataclass
from typing import Protocol

from unmask.media.colour import Rgb
from unmask.media.values import Box

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face in pixels of the picture it was looked for in."""

    box: Box
    score: float = 1.0
    #: Left eye, right eye, nose, left and right corner of the mouth (as seen), or nothing.
    landmarks: tuple[Point, ...] = ()

    def scaled(self, x: float, y: float) -> "Face":
        box = self.box
        return Face(
            box=Box(x=box.x * x, y=box.y * y, width=box.width * x, height=box.height * y),
            score=self.score,
            landmarks=tuple((left * x, top * y) for left, top in self.landmarks),
        )


class Detector(Protocol):
    """Finds faces in a small RGB picture."""

    def __call__(self, picture: Rgb) -> list[Face]: ...
