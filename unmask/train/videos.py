"""Single faces out of labelled videos, and which video each is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.model.clips import PersonFrames
from unmask.spec import ScanSpec
from unmask.train.crops import Crops
from unmask.train.extracting import load
from unmask.train.sets.item import Item
from unmask.train.splits import joined


@dataclass(frozen=True, kw_only=True)
class Videos:
    """Frames of many videos, and which video each frame is of."""

    crops: Crops
    items: tuple[Item, ...]
    #: Per picture, the place of its video in `items`.
    of: NDArray[np.intp]

    @property
    def groups(self) -> dict[int, str]:
        return {int(item): self.crops.groups[row] for row, item in enumerate(self.of)}


def faces_of(items: Sequence[Item], folder: Path, spec: ScanSpec, count: int) -> Videos:
    """Of each video in which somebody is seen so many, spread over it."""
    found = ((item, load(item, folder, spec).persons) for item in items)
    return gathered(
        {item: spread(main_frames(persons), count) for item, persons in found if persons}
    )


def main_frames(persons: Sequence[PersonFrames]) -> NDArray[np.uint8]:
    """Of whoever is seen longest."""
    every = [np.concatenate([window.frames for window in person.windows]) for person in persons]
    return max(every, key=len)


def spread(frames: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    chosen = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    return np.asarray(frames[chosen], dtype=np.uint8)


def gathered(frames: Mapping[Item, NDArray[np.uint8]]) -> Videos:
    items = tuple(frames)
    groups = joined([item.identities for item in items])
    of = np.repeat(np.arange(len(items)), [len(frames[item]) for item in items])
    crops = Crops(
        pictures=np.concatenate([frames[item] for item in items]),
        names=tuple(f"{items[place].path}#{row}" for row, place in enumerate(of)),
        fake=np.array([items[place].fake for place in of]),
        groups=tuple(groups[items[place].identities[0]] for place in of),
    )
    return Videos(crops=crops, items=items, of=of)
