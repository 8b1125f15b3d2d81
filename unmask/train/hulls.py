"""Which part of a face a self-blend replaces: soft masks from 68 landmarks.

0–16 jaw   17–26 brows   27–35 nose   36–47 eyes   48–67 mouth
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unmask.train.landmarks import Points

Mask = NDArray[np.float32]

_BROWS = slice(17, 27)
_INNER = slice(17, 68)
_LOWER = [*range(2, 15), *range(29, 36), *range(48, 68)]
_MIDDLE = [*range(17, 48)]
_MOUTH = [*range(48, 68), *range(5, 12)]
_SHOWN_NOSE = 30


def _whole(points: Points, _: Generator) -> Points:
    return points


def _with_forehead(points: Points, rng: Generator) -> Points:
    """The brows pulled up, as face swaps take some of the forehead along."""
    raised = points[_BROWS].copy()
    raised[:, 1] -= rng.uniform(0.2, 0.8) * (points[_SHOWN_NOSE, 1] - raised[:, 1].mean())
    return np.concatenate([points, raised])


def _part(chosen: slice | list[int]) -> Callable[[Points, Generator], Points]:
    return lambda points, _: points[chosen]


#: How often each kind of part is replaced, and how its outline comes from the landmarks.
_KINDS: tuple[tuple[float, Callable[[Points, Generator], Points]], ...] = (
    (0.35, _whole),
    (0.22, _with_forehead),
    (0.18, _part(_INNER)),
    (0.1, _part(_LOWER)),
    (0.08, _part(_MIDDLE)),
    (0.07, _part(_MOUTH)),
)
_CHANCES = np.array([chance for chance, _ in _KINDS])

#: How far an outline is bent, in pixels of a 112-pixel crop.
_BEND_PX = 5.0
_LEAST_BLUR, _MOST_BLUR = 0.4, 7.0
#: Partial blends hide the seam; most fakes don't bother.
_STRENGTHS = (0.3, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0)


def outline(points: Points, rng: Generator) -> Points:
    kind = int(rng.choice(len(_KINDS), p=_CHANCES))
    return _KINDS[kind][1](points, rng)


def soft_mask(points: Points, size: int, rng: Generator) -> Mask:
    """The hull of an outline, bent, grown or shrunk, softened; values 0 to 1."""
    mask = bent(hull(points, size), rng)
    mask = _resized(mask, rng)
    sigma = float(np.exp(rng.uniform(np.log(_LEAST_BLUR), np.log(_MOST_BLUR))))
    blurred = cv2.GaussianBlur(mask, (0, 0), sigma)
    return np.asarray(blurred * rng.choice(_STRENGTHS), dtype=np.float32)


def hull(points: Points, size: int) -> Mask:
    mask = np.zeros((size, size), np.float32)
    corners = cv2.convexHull(points.astype(np.float32)).round().astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1.0)
    return mask


def bent(mask: Mask, rng: Generator) -> Mask:
    """An elastic deformation from a coarse random field."""
    size = mask.shape[0]
    coarse = rng.uniform(-_BEND_PX, _BEND_PX, (5, 5, 2)).astype(np.float32)
    field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    columns, rows = np.meshgrid(
        np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32)
    )
    return np.asarray(
        cv2.remap(mask, columns + field[..., 0], rows + field[..., 1], cv2.INTER_LINEAR),
        dtype=np.float32,
    )


def _resized(mask: Mask, rng: Generator) -> Mask:
    pixels = int(rng.integers(1, 6))
    kernel = np.ones((pixels, pixels), np.uint8)
    change = cv2.erode if rng.random() < 0.5 else cv2.dilate
    return np.asarray(change(mask, kernel), dtype=np.float32)
