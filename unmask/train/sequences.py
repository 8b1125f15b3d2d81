"""Pseudo-sequences from single crops: a face that moves, is re-lit and recompressed over time.

A real crop gives two of them that share every movement and all damage: itself, and a fake, which is
either a given fake of its group moved alike, or a blend whose seam holds still, flickers or slips.
What differs between the two over time is only what a manipulation leaves behind.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from unmask.train.blend import Matrix, Moving, blended, moved, moved_points, nudge, placement
from unmask.train.crops import Rgb
from unmask.train.hulls import outline, soft_mask
from unmask.train.landmarks import Points
from unmask.train.spoil import (
    Spoil,
    Spoiling,
    applied,
    common_damage,
    one_sided,
    per_frame_damage,
)

#: How far a face drifts within a sequence: shift as a share of its side, zoom, degrees.
_DRIFT_SHIFT, _DRIFT_ZOOM, _DRIFT_TURN = 0.012, 0.015, 2.0
#: How far a slipping patch leaves its place, as a share of the side, and how much it flickers.
_SLIP, _FLICKER = 0.012, 0.35
#: Blends that hold still, so that the time without a flaw is no proof of a real face.
_STILL = 0.4


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happens over time: one matrix of movement for each frame, and the shared damage."""

    moves: list[Matrix]
    damage: list[Spoil]
    each: list[list[Spoil]]


def story(how: Moving, spoiling: Spoiling, size: int, frames: int, rng: Generator) -> Story:
    start = placement(how, size, rng)
    drift = waves(rng, frames, 4)
    moves = [_drifted(step, size) @ start for step in drift]
    return Story(
        moves=moves,
        damage=common_damage(spoiling, rng, over_time=True),
        each=per_frame_damage(spoiling, rng, frames),
    )


def waves(rng: Generator, frames: int, count: int) -> NDArray[np.float64]:
    """(frames, count) of smooth values about −1 to 1: two slow sines each."""
    time = np.arange(frames)[:, None] / 25.0
    found = np.zeros((frames, count))
    for share in (0.65, 0.35):
        speed, phase = rng.uniform(0.2, 1.6, count), rng.uniform(0, 2 * np.pi, count)
        found += share * np.sin(2 * np.pi * speed * time + phase)
    return found


def _drifted(step: NDArray[np.float64], size: int) -> Matrix:
    zoom, turn = 1 + _DRIFT_ZOOM * step[2], np.deg2rad(_DRIFT_TURN * step[3])
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]])
    middle = np.full(2, (size - 1) / 2)
    offset = middle + _DRIFT_SHIFT * size * step[:2] - linear @ middle
    return np.vstack([np.column_stack([linear, offset]), [0.0, 0.0, 1.0]])


def filmed(face: Rgb, told: Story) -> Rgb:
    """One crop through a story: (T, S, S, 3)."""
    return np.stack(
        [
            applied(moved(face, move), [*told.damage, *each])
            for move, each in zip(told.moves, told.each, strict=True)
        ]
    )


def filmed_twins(
    face: Rgb, points: Points, how: Moving, told: Story, rng: Generator
) -> tuple[Rgb, Rgb]:
    """The face and its blend through one story: the blend, then the face."""
    count, size = len(told.moves), face.shape[0]
    still = rng.random() < _STILL
    slips = np.zeros((count, 3)) if still else _slips(rng, count)
    seed, place = int(rng.integers(2**31)), nudge(how, size, rng)
    jitter, on_patch = one_sided(rng), rng.random() < 0.5
    blends, grounds = [], []
    for move, each, slip in zip(told.moves, told.each, slips, strict=True):
        ground, patch = moved(face, move), moved(face, _shifted(slip, size) @ place @ move)
        ground, patch = (
            (ground, applied(patch, jitter)) if on_patch else (applied(ground, jitter), patch)
        )
        mask_rng = np.random.default_rng(seed)
        mask = soft_mask(outline(moved_points(points, move), mask_rng), size, mask_rng)
        mask = mask * np.float32(1 - _FLICKER * slip[2])
        damage = [*told.damage, *each]
        blends.append(applied(blended(ground, patch, mask), damage))
        grounds.append(applied(ground, damage))
    return np.stack(blends), np.stack(grounds)


def _slips(rng: Generator, count: int) -> NDArray[np.float64]:
    """Per frame: how far the patch slips across and down, and how much it fades (0 to 1)."""
    rough = rng.standard_normal((count, 3)) * rng.uniform(0.1, 0.6, 3)
    smooth = waves(rng, count, 3)
    jumps = np.cumsum(rng.random((count, 1)) < 1 / 12, axis=0) % 2 * rng.normal(size=3)
    both = (rough + smooth + jumps) * rng.uniform(0.2, 1.0)
    both[:, 2] = np.abs(both[:, 2]).clip(0, 1)
    return np.asarray(both, dtype=np.float64)


def _shifted(slip: NDArray[np.float64], size: int) -> Matrix:
    shift = np.eye(3)
    shift[:2, 2] = slip[:2] * _SLIP * size
    return shift
