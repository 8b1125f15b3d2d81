"""What the parts of the media bench share: films made once, and what a part answers."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.films import SIZES, Size, repeat_film, write_film
from unmask.spec import ScanSpec

RUNS = 5
#: Face frames asked for, as in the papers.
FRAMES = 150
FIRST = ScanSpec().with_options(frames=FRAMES, first=True)
#: Frames and distance of key frames in the films that are read whole.
_ROAD_FRAMES, _ROAD_GOP = 180, 250
#: Films with many frames are made of one that is coded, again and again.
_CODED = {30: 300, 250: 250}

Sides = dict[str, Callable[[], float]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Lines for a person and figures for a machine."""

    lines: list[str]
    figures: dict[str, float] = field(default_factory=dict)


def road_film(folder: Path, name: str) -> Path:
    return _made(folder / f"road-{name}.mp4", SIZES[name], _ROAD_FRAMES, _ROAD_GOP)


def film_of(folder: Path, frames: int, gop: int) -> Path:
    """1080p with key frames that far apart."""
    film = folder / f"gop{gop}-{frames}.mp4"
    if not film.exists():
        coded = _made(folder / f"gop{gop}.mp4", SIZES["1080p"], _CODED[gop], gop)
        whole = film.with_suffix(".part.mp4")
        repeat_film(coded, whole, frames)
        whole.rename(film)
    return film


def _made(film: Path, size: Size, frames: int, gop: int) -> Path:
    if not film.exists():
        whole = film.with_suffix(".part.mp4")
        write_film(whole, size, frames, gop)
        whole.rename(film)
    return film


def alternating(sides: Sides) -> dict[str, float]:
    """Median seconds of each side, which takes them itself."""
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(RUNS):
        for name, side in sides.items():
            runs[name].append(side())
    return {name: statistics.median(times) for name, times in runs.items()}
