"""Pairs of made-up crops with made-up landmarks."""

from typing import Any

import numpy as np

from tests.making.crops import picture
from unmask.train.crops import Crops
from unmask.train.pairs import Pairing, Pairs

SIDE = 112


def points() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A ring of 68 points well inside the crop."""
    turns = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = 56 + np.stack([30 * np.cos(turns), 30 * np.sin(turns)], axis=1)
    return np.asarray(ring, np.float32)


def crops() -> Crops:
    pictures = np.stack([picture(i, fake=i % 2 == 1, side=SIDE) for i in range(8)])
    return Crops(
        pictures=pictures,
        names=tuple(map(str, range(8))),
        fake=np.arange(8) % 2 == 1,
        groups=tuple(str(i // 2) for i in range(8)),
    )


def pairs(**changes: Any) -> Pairs:
    every = np.zeros((8, 68, 2), np.float32) + points()
    how = Pairing(**changes)
    return Pairs(crops=crops(), points=every, chosen=np.arange(8), how=how, seed=4)
