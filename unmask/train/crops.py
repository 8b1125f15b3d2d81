"""Face crops with their labels, held so that several processes can share one copy."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unmask.errors import Unusable

Rgb = NDArray[np.uint8]


class BadData(Unusable):
    """A data set that can't be trained or measured on; the message says what is wrong in it."""


class SmallerThanBatch(BadData):
    """Too little for the batch that a recipe wants; another recipe may do."""


@dataclass(frozen=True, kw_only=True)
class Crops:
    """`pictures` is (N, S, S, 3) RGB; the rest has one entry per picture."""

    pictures: Rgb
    names: tuple[str, ...]
    fake: NDArray[np.bool_]
    #: The original video: whatever shares a group stays on one side of every split.
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        counts = {len(self.pictures), len(self.names), len(self.fake), len(self.groups)}
        if len(counts) != 1:
            raise BadData(f"pictures, names, labels and groups differ in number: {sorted(counts)}")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name, times in Counter(self.names).items() if times > 1)
            raise BadData(f"two pictures have the name {twice}")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def digest(self) -> str:
        """Of pictures and labels: what was worked out from them is kept under it."""
        found = hashlib.blake2b(self.fake.tobytes(), digest_size=8)
        for picture in self.pictures:
            found.update(np.ascontiguousarray(picture).data)
        return found.hexdigest()

    @property
    def size(self) -> int:
        return int(self.pictures.shape[1])

    def where(self, fake: bool) -> NDArray[np.intp]:
        return np.flatnonzero(self.fake == fake)


def need_both(fake: NDArray[np.bool_], where: str) -> None:
    """Training or measuring on one class alone means nothing."""
    for kind, count in (("fake", int(fake.sum())), ("real", int((~fake).sum()))):
        if count == 0:
            raise BadData(f"{where} holds no {kind} picture")


def grouped(groups: Sequence[str], indices: Sequence[int]) -> dict[str, list[int]]:
    """Group → those of `indices` that belong to it."""
    found: dict[str, list[int]] = {}
    for index in indices:
        found.setdefault(groups[index], []).append(index)
    return found
