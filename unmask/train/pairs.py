"""Pairs to train on: a real face beside its self-blended twin, or beside a fake of its group.

Pair number i of an epoch is a pure function of (seed, epoch, i): a run that was killed goes on
with exactly the pairs it would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from unmask.judgement import STRICT, Share
from unmask.train.blend import Moving, moved, placement, twins
from unmask.train.crops import Crops, Rgb, grouped
from unmask.train.landmarks import Points
from unmask.train.spoil import Spoiling, applied, common_damage, storage


@checked(frozen=True, kw_only=True, config=STRICT)
class Pairing:
    """How a pair is made. Part of a recipe."""

    #: How often a given fake stands in for the twin; always where there are no landmarks.
    given_fakes: Share = 0.4
    #: How often a pair is left as a scan would find or store it: there fine traces are met.
    undamaged: Share = 0.0
    moving: Moving = Field(default_factory=Moving)
    spoiling: Spoiling = Field(default_factory=Spoiling)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Every real face of a part, once an epoch, in an order that the epoch decides."""

    crops: Crops
    points: Points | None
    chosen: NDArray[np.intp]
    how: Pairing
    seed: int

    @cached_property
    def reals(self) -> NDArray[np.intp]:
        return self.chosen[~self.crops.fake[self.chosen]]

    @cached_property
    def _fakes(self) -> dict[str, list[int]]:
        fakes = self.chosen[self.crops.fake[self.chosen]]
        return grouped(self.crops.groups, fakes.tolist())

    @cached_property
    def _any_fake(self) -> NDArray[np.intp]:
        return self.chosen[self.crops.fake[self.chosen]]

    def __len__(self) -> int:
        return len(self.reals)

    def order(self, epoch: int) -> NDArray[np.intp]:
        return np.random.default_rng((self.seed, epoch)).permutation(self.reals)

    def pair(self, real: int, epoch: int) -> tuple[Rgb, Rgb]:
        rng = np.random.default_rng((self.seed, epoch, real))
        fake, true = self._before_damage(real, rng)
        spared = rng.random() < self.how.undamaged
        damage = storage(rng) if spared else common_damage(self.how.spoiling, rng)
        return applied(fake, damage), applied(true, damage)

    def _before_damage(self, real: int, rng: Generator) -> tuple[Rgb, Rgb]:
        face = self.crops.pictures[real]
        if self.points is not None and rng.random() >= self.how.given_fakes:
            ground, twin = twins(face, self.points[real], self.how.moving, rng)
            return twin, ground
        place = placement(self.how.moving, self.crops.size, rng)
        other = self.crops.pictures[self.fake_beside(real, rng)]
        return moved(other, place), moved(face, place)

    def fake_beside(self, real: int, rng: Generator) -> int:
        """One of its own group, else any."""
        beside: Sequence[int] = self._fakes.get(self.crops.groups[real], ())
        return int(rng.choice(beside if len(beside) else self._any_fake))

    def batch(self, reals: NDArray[np.intp], epoch: int) -> Rgb:
        """(2N, S, S, 3): N fakes, then their N real faces."""
        made = [self.pair(int(real), epoch) for real in reals]
        return np.stack([fake for fake, _ in made] + [true for _, true in made])
