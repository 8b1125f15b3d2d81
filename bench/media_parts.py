"""What the parts of the media bench share: films made once, and what a part answers."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.films import SIZES, Size, repeat_film, write_film
from unmask.spec import ScanSpec

RUNS = 5
#: Face frames asked for, as in the papers.
FRAMES = 150
FIRST = ScanSpec().with_options(frames=FRAMES, first=True)
#: Frames and distance of key frames in the films that are read whole.
ROAD_FRAMES, _ROAD_GOP = 180, 250
#: Films with many frames are made of one that is coded, again and again.
_CODED = {30: 300, 250: 250}

Sides = dict[str, Callable[[], "Cost"]]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds by the wall clock, and of the processor on all threads: the latter hardly depend on
    what else the machine does."""

    wall: float
    cpu: float

    def __mul__(self, times: float) -> "Cost":
        return Cost(wall=self.wall * times, cpu=self.cpu * times)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(wall=self.wall + other.wall, cpu=self.cpu + other.cpu)


@contextmanager
def timed(costs: list[Cost]) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    costs.append(Cost(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu))


def cost_of(work: Callable[..., object], *what: object) -> Cost:
    costs: list[Cost] = []
    with timed(costs):
        work(*what)
    return costs[0]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Lines for a person and figures for a machine."""

    lines: list[str]
    figures: dict[str, float] = field(default_factory=dict)


def road_film(folder: Path, name: str) -> Path:
    return _made(folder / f"road-{name}.mp4", SIZES[name], ROAD_FRAMES, _ROAD_GOP)


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


def alternating(sides: Sides, turns: int = RUNS) -> dict[str, Cost]:
    """Median cost of each side; the sides take turns, there and back: none always has the same
    one before it."""
    runs: dict[str, list[Cost]] = {name: [] for name in sides}
    order = list(sides.items())
    for _ in range(turns):
        for name, side in order:
            runs[name].append(side())
        order.reverse()
    return {name: _median(costs) for name, costs in runs.items()}


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
    )
