"""Who is on which side: decided by a hash of the group, so it never depends on order or luck.

Adding items moves nobody, and two machines agree without sharing a list.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unmask.train.crops import BadData, Crops, need_both

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What the two held-out parts get of all groups; training has the rest."""

    validation: float = 0.1
    test: float = 0.2
    salt: str = "unmask"

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            raise ValueError(f"shares must leave something for training: {self}")


def part_of(group: str, shares: Shares) -> Part:
    digest = hashlib.sha256(f"{shares.salt}:{group}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < shares.test:
        return "test"
    return "validation" if place < shares.test + shares.validation else "train"


def split(crops: Crops, shares: Shares) -> dict[Part, NDArray[np.intp]]:
    """Indices per part; each part holds both classes, and no group stands on two sides."""
    sides = np.array([part_of(group, shares) for group in crops.groups])
    parts: tuple[Part, ...] = ("train", "validation", "test")
    found = {part: np.flatnonzero(sides == part) for part in parts}
    check_leaks({part: {crops.groups[i] for i in found[part]} for part in parts})
    for part in parts:
        need_both(crops.fake[found[part]], f"the {part} part")
    return found


def check_leaks(sides: Mapping[str, Iterable[str]]) -> None:
    """Fails when an identity or origin stands on more than one side."""
    seen: dict[str, str] = {}
    for side, keys in sides.items():
        for key in keys:
            other = seen.setdefault(key, side)
            if other != side:
                raise BadData(f"split leak: `{key}` stands in {other} and in {side}")


def joined(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    """Identity → name of everything it is tied to, through any chain of shared identities.

    033_097 ties 033 to 097; 097_441 then ties 441 to both.
    """
    root: dict[str, str] = {}

    def find(name: str) -> str:
        root.setdefault(name, name)
        while root[name] != name:
            name = root[name]
        return name

    for names in pairs:
        first = find(names[0])
        for other in names[1:]:
            root[find(other)] = first
    return {name: find(name) for name in root}
