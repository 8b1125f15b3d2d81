"""Where the time of 150 face frames goes: processor time per stage, in milliseconds."""

import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.films import SIZES
from bench.media_parts import FIRST, RUNS, Part, road_film
from unmask.media import warm
from unmask.media.values import Limits

DECODING, REST, WALL = "decoding", "the rest", "wall clock"
#: Of the stages, what was spent on other threads than the one that cuts.
_ELSEWHERE = "elsewhere"
#: What each stage is called here, and where its work is called.
STAGES = {
    "detector": ("unmask.media.faces.centerface", "CenterFace.__call__"),
    "its small picture": ("unmask.media.road", "look"),
    "tracking": ("unmask.media.tracks", "track"),
    "cuts": ("unmask.media.shots", "CutFinder.begins_shot"),
    "cropping": ("unmask.media.picture", "Picture.crop"),
    "coding": ("unmask.media.road", "encode"),
    "sharpness": ("unmask.media.road", "sharpness"),
    "people": ("unmask.media.road", "people"),
}

Times = dict[str, float]


def profile(folder: Path) -> Part:
    warm()
    tables = {size: _median_run(road_film(folder, size)) for size in SIZES}
    lines = [
        f"processor time of 150 face frames, in ms (median of {RUNS} runs):",
        f"{'stage':18}" + "".join(f"{size:>8}" for size in SIZES),
    ]
    for stage in (DECODING, *STAGES, REST, WALL):
        times = "".join(f"{tables[size][stage] * 1000:8.1f}" for size in SIZES)
        lines.append(f"{stage:18}" + times)
    return Part(lines=lines)


def _median_run(film: Path) -> Times:
    """The run in the middle, so that its parts sum up."""
    runs = [_once(film) for _ in range(RUNS)]
    return sorted(runs, key=lambda run: run[WALL])[len(runs) // 2]


def _once(film: Path) -> Times:
    """Decoding is what the process used beyond the stages and the thread that cuts faces."""
    extract = importlib.import_module("unmask.media.road").extract
    taken: Times = defaultdict(float)
    with _stages_timed(taken), film.open("rb") as file:
        clocks = (time.perf_counter, time.process_time, time.thread_time)
        begun = [clock() for clock in clocks]
        for _ in extract(file, FIRST, Limits()):
            pass
        wall, everything, own = (
            clock() - start for clock, start in zip(clocks, begun, strict=True)
        )
    elsewhere = taken.pop(_ELSEWHERE, 0.0)
    taken[REST] = own - (sum(taken.values()) - elsewhere)
    return taken | {DECODING: everything - own - elsewhere, WALL: wall}


@contextmanager
def _stages_timed(taken: Times) -> Iterator[None]:
    running: dict[int, list[float]] = defaultdict(list)
    with ExitStack() as patches:
        for stage, (module, names) in STAGES.items():
            *owners, name = names.split(".")
            owner: Any = importlib.import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            timed = _timed(getattr(owner, name), stage, taken, running)
            patches.enter_context(patch.object(owner, name, timed))
        yield


def _timed(
    work: Callable[..., Any], stage: str, taken: Times, running: dict[int, list[float]]
) -> Callable[..., Any]:
    """Counts a stage's own time: what it spends in another one is the other one's."""
    cuts = threading.get_ident()

    def timed(*what: Any, **named: Any) -> Any:
        inside = running[threading.get_ident()]
        started = time.thread_time()
        inside.append(0.0)
        try:
            return work(*what, **named)
        finally:
            spent = time.thread_time() - started
            alone = spent - inside.pop()
            taken[stage] += alone
            taken[_ELSEWHERE] += alone * (threading.get_ident() != cuts)
            if inside:
                inside[-1] += spent

    return timed
