"""Cases timed side by side: in turns, so that what else the machine does hits all alike."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def alternating(cases: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median wall seconds of each case, after one run of each that isn't counted."""
    taken = each_run(cases, runs)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def each_run(cases: Mapping[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Wall seconds of every run of each case, after one run of each that isn't counted."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for run in range(runs + 1):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if run:
                taken[name].append(time.perf_counter() - started)
    return taken


def median_and_its_range(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, and what it lies between in 95 of 100 such samples, by their order alone."""
    ranked, count = sorted(values), len(values)
    away = round(0.98 * count**0.5)
    low, high = max(0, count // 2 - away - 1), min(count - 1, (count - 1) // 2 + away + 1)
    return statistics.median(ranked), ranked[low], ranked[high]


def quiet() -> str:
    """How busy the machine is; figures from a busy one are worth less."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    state = "quiet" if load < 0.5 * cores else "NOT quiet: other work is running"
    return f"load {load:.1f} on {cores} cores ({state})"
