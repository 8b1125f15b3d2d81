"""DFDC's fakes whose picture is the original's: only their sound was replaced.

Its description doesn't say which they are. Both videos are sampled at the same moments; a face
swap changes some block of the picture a lot, a new sound changes none beyond the codec's noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.train.sets.item import Item

#: Where to look, as shares of the length; how large the picture is then, and its blocks.
_MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
_PIXELS, _BLOCK = 256, 8
#: Mean difference of a block, of 255, that recompression alone doesn't reach.
_CHANGED = 12.0


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """What can be used, and the fakes whose picture was never touched."""

    kept: list[Item]
    sound_only: list[Item]


def without_sound_only(items: Sequence[Item]) -> Sorted:
    """Leaves out the DFDC fakes that look like their original; all others are kept."""
    originals = originals_of(items)
    kept, sound_only = list[Item](), list[Item]()
    for item in items:
        (sound_only if has_original_picture(item, originals) else kept).append(item)
    return Sorted(kept=kept, sound_only=sound_only)


def originals_of(items: Sequence[Item]) -> dict[str, Path]:
    return {item.path.stem: item.path for item in items if not item.fake}


def has_original_picture(item: Item, originals: Mapping[str, Path]) -> bool:
    original = originals.get(item.identities[0]) if item.method == "dfdc" else None
    return original is not None and same_picture(item.path, original)


def same_picture(one: Path, other: Path) -> bool:
    """Whether no part of the picture differs at any of the moments looked at."""
    stamps = tuple(path.stat().st_mtime_ns for path in (one, other))
    return _same_picture(one, other, stamps)


@cache
def _same_picture(one: Path, other: Path, _stamps: tuple[int, ...]) -> bool:
    """A command asks more than once."""
    try:
        pairs = list(zip(_samples(one), _samples(other), strict=True))
    except (Refused, ValueError):
        return False
    return bool(pairs) and all(_largest_change(a, b) < _CHANGED for a, b in pairs)


def _samples(path: Path) -> list[NDArray[np.uint8]]:
    with path.open("rb") as file, opened(file, Budget(Limits())) as source:
        length = source.info.duration_s or 0.0
        found = []
        for share in _MOMENTS:
            picture = next(iter(source.pictures(share * length)), None)
            if picture is not None:
                found.append(picture.small_grey(_PIXELS))
        return found


def _largest_change(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    if one.shape != other.shape:
        return float("inf")
    blocks = max(1, one.shape[1] // _BLOCK), max(1, one.shape[0] // _BLOCK)
    gap = cv2.absdiff(one, other).astype(np.float32)
    return float(cv2.resize(gap, blocks, interpolation=cv2.INTER_AREA).max())
