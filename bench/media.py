"""`python -m bench media`: the media core against the papers' path and a strong composed peer.

Slow paths run on a stated few frames and are scaled per frame. Sides take turns, five times; the
median counts. Then sparse reading, contiguous reading, and an hour against five minutes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bench.films import RATE, SIZES, repeat_film, write_film
from bench.peers import composed_peer, papers_path, read_with_opencv, read_with_pyav
from unmask.media import extract, warm
from unmask.media.budget import Budget
from unmask.media.pick import picked
from unmask.media.plan import plan
from unmask.media.source import opened
from unmask.media.values import Limits, Manifest
from unmask.spec import ScanSpec

RUNS = 5
FRAMES = 150
PAPERS_FRAMES = 3
COMPOSED_FRAMES = 30
FIRST = ScanSpec().with_options(frames=FRAMES, first=True)
SPARSE = ScanSpec(windows=5, frames=30, spacing_s=1 / RATE)
LONG_FILM_S = 10

Sides = dict[str, Callable[[], float]]


def main() -> None:
    warm()
    with tempfile.TemporaryDirectory() as folder:
        figures = _whole_road(Path(folder)) | _reading(Path(folder)) | _length(Path(folder))
    figures["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(figures))


def _whole_road(folder: Path) -> dict[str, Any]:
    print(f"{'size':6} {'ours s':>8} {'papers s':>9} {'composed s':>11}   for {FRAMES} face frames")
    papers, composed, recalls = list[float](), list[float](), list[float]()
    for name, size in SIZES.items():
        film = folder / f"{name}.mp4"
        write_film(film, size, FRAMES + RATE, 250)
        hits: list[int] = []
        took = _alternating(
            {
                "ours": partial(_ours, film, hits),
                "papers": partial(_scaled, papers_path, film, PAPERS_FRAMES),
                "composed": partial(_scaled, composed_peer, film, COMPOSED_FRAMES),
            }
        )
        papers.append(took["papers"] / took["ours"])
        composed.append(took["composed"] / took["ours"])
        recalls.append(min(hits) / FRAMES)
        print(f"{name:6} {took['ours']:8.2f} {took['papers']:9.1f} {took['composed']:11.2f}")
    return {
        "ratio_papers": _mean(papers),
        "ratio_composed": _mean(composed),
        "recall_ours": min(recalls),
    }


def _ours(film: Path, hits: list[int]) -> float:
    started = time.perf_counter()
    with film.open("rb") as file:
        *_, manifest = extract(file, FIRST, Limits())
    assert isinstance(manifest, Manifest)
    hits.append(len(manifest.persons[0].frames))
    return time.perf_counter() - started


def _scaled(path: Callable[[Path, int], tuple[float, int]], film: Path, frames: int) -> float:
    return path(film, frames)[0] * FRAMES / frames


def _reading(folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for gop in (30, 250):
        film = folder / f"gop{gop}.mp4"
        write_film(film, SIZES["1080p"], 1800, gop)
        took = _alternating(
            {
                "planned": partial(_timed, _planned, film, SPARSE),
                "everything": partial(_timed, _everything, film),
                "first": partial(_timed, _planned, film, FIRST),
                "opencv": partial(_timed, _first, read_with_opencv, film),
                "pyav": partial(_timed, _first, read_with_pyav, film),
            }
        )
        print(f"1080p, GOP {gop}: " + ", ".join(f"{side} {s:.2f} s" for side, s in took.items()))
        name = "ratio_sparse" if gop == 30 else "ratio_sparse_gop250"
        figures[name] = round(took["everything"] / took["planned"], 2)
        best = min(took["opencv"], took["pyav"])
        figures[f"ratio_first_gop{gop}"] = round(best / took["first"], 2)
    return figures


def _planned(film: Path, spec: ScanSpec) -> int:
    """Only the reading: the pictures that the spec asks for, as the decoder gives them."""
    with film.open("rb") as file, opened(file, Budget(Limits())) as source:
        count = 0
        for window in plan(source.info.duration_s, spec).windows:
            start = source.near(window.start_s, window.slack_s)
            count += _some(picked(source.pictures(start), window))
    return count


def _everything(film: Path) -> int:
    return _count(read_with_pyav(film))


def _first(read: Callable[[Path], Any], film: Path) -> int:
    return _some(read(film))


def _some(pictures: Any) -> int:
    return _count(islice(pictures, FRAMES))


def _count(pictures: Any) -> int:
    return sum(1 for _ in pictures)


def _length(folder: Path) -> dict[str, Any]:
    short, five, hour = (folder / f"{name}.mp4" for name in ("short", "five", "hour"))
    write_film(short, SIZES["1080p"], LONG_FILM_S * RATE, 30)
    repeat_film(short, five, 5 * 60 // LONG_FILM_S)
    repeat_film(short, hour, 60 * 60 // LONG_FILM_S)
    runs = [(_alone(five), _alone(hour)) for _ in range(3)]
    seconds = [statistics.median(run[side]["seconds"] for run in runs) for side in (0, 1)]
    peaks = [max(run[side]["peak_rss_mb"] for run in runs) for side in (0, 1)]
    print(f"5 minutes: {seconds[0]:.2f} s, {peaks[0]:.0f} MB;", end=" ")
    print(f"60 minutes: {seconds[1]:.2f} s, {peaks[1]:.0f} MB")
    return {
        "ratio_hour": round(seconds[1] / seconds[0], 2),
        "peak_rss_mb": round(peaks[1]),
        "peak_rss_5min_mb": round(peaks[0]),
    }


def _alone(film: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.media_once", str(film)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _alternating(sides: Sides) -> dict[str, float]:
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(RUNS):
        for name, side in sides.items():
            runs[name].append(side())
    return {name: statistics.median(times) for name, times in runs.items()}


def _timed(work: Callable[..., object], *what: object) -> float:
    started = time.perf_counter()
    work(*what)
    return time.perf_counter() - started


def _mean(ratios: list[float]) -> float:
    return round(statistics.geometric_mean(ratios), 1)
