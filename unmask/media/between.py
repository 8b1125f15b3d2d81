"""Where a face is between two detections: found again by its own picture, without a detector."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from unmask.media.faces.port import Face
from unmask.media.geometry import between, square_around
from unmask.media.picture import Grey, Picture
from unmask.media.values import Box

#: Side of the face's own picture, and of the surroundings it is looked for in.
_TEMPLATE = 32
_SEARCH = 56
_REACH = _SEARCH / _TEMPLATE
#: A correlation below this says that the face is not where it was expected.
SURE = 0.5
#: Two detections less alike than this may be of two people: a look between them tells.
SAME_FACE = 0.6


@dataclass(frozen=True, kw_only=True)
class Tracked:
    box: Box
    score: float


def track(pictures: Sequence[Picture], first: Face, last: Face) -> list[Tracked]:
    """Boxes for the pictures strictly between the first and the last, where it was detected."""
    steps = len(pictures) - 1
    if steps < 2:
        return []
    before, after = _template(pictures[0], first.box), _template(pictures[-1], last.box)
    if float(cv2.matchTemplate(before, after, cv2.TM_CCOEFF_NORMED)[0, 0]) < SAME_FACE:
        return [Tracked(box=first.box, score=0.0)] * (steps - 1)
    return [
        _found(
            pictures[step], between(first.box, last.box, step / steps), before, after, step / steps
        )
        for step in range(1, steps)
    ]


def _template(picture: Picture, box: Box) -> Grey:
    return picture.crop_grey(square_around(box, max(box.width, box.height)), _TEMPLATE)[0]


def _found(picture: Picture, guess: Box, before: Grey, after: Grey, share: float) -> Tracked:
    side = max(guess.width, guess.height) * _REACH
    around, region = picture.crop_grey(square_around(guess, side), _SEARCH)
    (x0, y0, one), (x1, y1, other) = _shift(around, before), _shift(around, after)
    weights = max(one, 0.01) * (1 - share), max(other, 0.01) * share
    total = sum(weights)
    x, y = ((a * weights[0] + b * weights[1]) / total for a, b in ((x0, x1), (y0, y1)))
    unit = region.width / _SEARCH
    left = region.x + region.width / 2 + x * unit - guess.width / 2
    top = region.y + region.height / 2 + y * region.height / _SEARCH - guess.height / 2
    box = Box(x=left, y=top, width=guess.width, height=guess.height)
    return Tracked(box=box, score=max(one, other))


def _shift(around: Grey, template: Grey) -> tuple[float, float, float]:
    """How far from the middle the template fits best, and how well."""
    scores = cv2.matchTemplate(around, template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    middle = (_SEARCH - _TEMPLATE) / 2
    return x - middle, y - middle, float(best)
