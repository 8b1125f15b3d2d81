"""Self-blended twins: a real face with part of it replaced by a slightly other version of itself.

    face ─move──────────────▶ ground ──────────────┐
      └──move a little else─▶ patch ─one jittered──┴─ mask ─▶ twin

Ground and patch are each resampled once from the original, so that resampling alone tells
nothing. What is left to learn is the seam, and the difference in colour and detail across it:
what any face swap leaves behind, whoever made it.
"""

from typing import Annotated

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from unmask.judgement import STRICT
from unmask.train.crops import Rgb
from unmask.train.hulls import Mask, outline, soft_mask
from unmask.train.landmarks import Points
from unmask.train.spoil import applied, one_sided

Matrix = NDArray[np.float64]
_Part = Annotated[float, Field(ge=0, le=0.5)]

_KINDS_OF_RESAMPLING = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Moving:
    """How far a crop is moved for augmentation, and the patch against it, as shares of a side."""

    zoom_out: _Part = 0.03
    zoom_in: _Part = 0.14
    shift: _Part = 0.035
    #: How much wider than high a face may become, or the other way round: wrong pixel aspects.
    stretch: _Part = 0.0
    turn_degrees: Annotated[float, Field(ge=0, le=180)] = 8.0
    patch_shift: _Part = 0.025
    patch_zoom: _Part = 0.04


def placement(how: Moving, size: int, rng: Generator) -> Matrix:
    """Crop → augmented crop: mirrored half the time, turned, zoomed and shifted a little."""
    zoom = 1 + rng.uniform(-how.zoom_out, how.zoom_in)
    turn = np.deg2rad(rng.uniform(-how.turn_degrees, how.turn_degrees))
    shift = rng.uniform(-how.shift, how.shift, 2) * size
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    place = _about_centre(size, zoom, float(turn), (float(shift[0]), float(shift[1])), mirror)
    return _wider(size, 1 + rng.uniform(-how.stretch, how.stretch)) @ place


def _wider(size: int, factor: float) -> Matrix:
    middle = (size - 1) / 2
    return np.array([[factor, 0.0, middle - factor * middle], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def nudge(how: Moving, size: int, rng: Generator) -> Matrix:
    zoom = 1 + rng.uniform(-how.patch_zoom, how.patch_zoom)
    shift = rng.uniform(-how.patch_shift, how.patch_shift, 2) * size
    return _about_centre(size, zoom, 0.0, (float(shift[0]), float(shift[1])), 1.0)


def _about_centre(
    size: int, zoom: float, turn: float, shift: tuple[float, float], mirror: float
) -> Matrix:
    middle = (size - 1) / 2
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    linear = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
    offset = middle + np.array(shift) - linear @ np.array([middle, middle])
    return np.vstack([np.column_stack([linear, offset]), [0.0, 0.0, 1.0]])


def moved(picture: Rgb, matrix: Matrix, resampling: int = cv2.INTER_LINEAR) -> Rgb:
    size = picture.shape[0]
    return np.asarray(
        cv2.warpAffine(
            picture, matrix[:2], (size, size), flags=resampling, borderMode=cv2.BORDER_REFLECT_101
        ),
        dtype=np.uint8,
    )


def moved_points(points: Points, matrix: Matrix) -> Points:
    return (points @ matrix[:2, :2].T + matrix[:2, 2]).astype(np.float32)


def twins(face: Rgb, points: Points, how: Moving, rng: Generator) -> tuple[Rgb, Rgb]:
    """A real face and its self-blended twin, before the damage that both will share."""
    size = face.shape[0]
    place = placement(how, size, rng)
    resampling = int(rng.choice(_KINDS_OF_RESAMPLING))
    ground = moved(face, place, resampling)
    patch = moved(face, nudge(how, size, rng) @ place, resampling)
    if rng.random() < 0.5:
        ground = applied(ground, one_sided(rng))
    else:
        patch = applied(patch, one_sided(rng))
    mask = soft_mask(outline(moved_points(points, place), rng), size, rng)
    return ground, blended(ground, patch, mask)


def blended(ground: Rgb, patch: Rgb, mask: Mask) -> Rgb:
    return np.asarray(cv2.blendLinear(patch, ground, mask, 1 - mask), dtype=np.uint8)
