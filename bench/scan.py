"""`python -m bench scan`: from a file to its verdict, on one machine, against two other ways.

`ours`      the fleet of `make scan`, running: private Redis, ledger, object store, a CPU worker
            with its sandbox, the classifier, Flower. Items go in at once; the last row ends it.
`composed`  what one would put together today from good parts (`bench/composed.py`): plain Celery,
            PyAV with threads, CenterFace on every frame, a batched bf16 model that stays loaded.
            Tasks go in at once; the last answer ends it.
`papers`    what the papers' web application does for one video (`bench/papers.py`): every frame is
            read, HOG finds the face in the first N, the model is loaded for this request and runs
            eagerly in float32. Its slow parts are timed on a few frames and scaled to N, so that
            the whole bench ends; it serves one request after the other.

Ten-second films of one moving face, the same architecture and weights in all three, N face frames
of each film. Ours and composed take turns; the median of the turns counts. Seconds are wall
seconds per film.

The whole takes about a quarter of an hour. It can be cut and put together again:

    python -m bench scan --case 720p-60 --case 720p-100 --into figures.jsonl
    python -m bench scan --case 720p-150 --into figures.jsonl
    python -m bench scan --merge figures.jsonl
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch

from bench.composed import Composed
from bench.films import RATE, SIZES, write_film
from bench.live import copies
from bench.our_fleet import OurFleet
from bench.papers import Papers
from bench.timing import quiet
from unmask.model.shelf import find_bundle

MODEL = "resnext50-lstm"
THREADS = 2
SECONDS, KEY_FRAMES = 10, 250
LENGTHS = (60, 100, 150)
#: Films that go in at once, and how often each side has its turn after one that isn't counted.
FILMS, TURNS = 4, 5
CASES = {f"{size}-{length}": (size, length) for size in ("720p", "1080p") for length in LENGTHS}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One case; seconds per film."""

    case: str
    ours: float
    composed: float
    papers: float
    #: What else the machine did when the bench began.
    load: str


def main() -> None:
    asked = _arguments()
    if asked.merge:
        _merge(Path(asked.merge))
    else:
        _measure(asked)


def _merge(file: Path) -> None:
    found = [Figures(**json.loads(line)) for line in file.read_text().splitlines()]
    for each in found:
        print(_line(each))
    summarise(found)


def _measure(asked: argparse.Namespace) -> None:
    cases, into = asked.case or list(CASES), asked.into
    found = list[Figures]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bench = Bench(folder, stack, films=asked.films, turns=asked.turns)
        for case in cases:
            found.append(bench.measured(case))
            if into:
                with Path(into).open("a") as file:
                    print(json.dumps(asdict(found[-1])), file=file)
    if not into:
        summarise(found)


class Bench:
    """Both fleets, up for all cases, so that no start is counted."""

    def __init__(self, folder: Path, stack: ExitStack, *, films: int, turns: int) -> None:
        torch.set_num_threads(THREADS)
        self._folder, self._load = folder, quiet()
        self._at_once, self._count = films, films * (turns + 1)
        print(f"{THREADS} threads, {films} films at once, {turns} turns; {self._load}", flush=True)
        self._papers = Papers(find_bundle(MODEL), folder)
        self._ours = stack.enter_context(OurFleet(folder / "ours", MODEL))
        self._composed = stack.enter_context(Composed(folder / "composed", MODEL))
        self._films: dict[str, list[Path]] = {}

    def measured(self, case: str) -> Figures:
        size, length = CASES[case]
        turns = self._turns(size)
        ours, composed = list[float](), list[float]()
        for turn, films in enumerate(turns):
            first = self._ours.seconds(films, length), self._composed.seconds(films, length)
            if turn:
                ours.append(first[0] / len(films))
                composed.append(first[1] / len(films))
        found = Figures(
            case=case,
            ours=statistics.median(ours),
            composed=statistics.median(composed),
            papers=self._papers.seconds(turns[0][0], length),
            load=self._load,
        )
        print(_line(found), flush=True)
        return found

    def _turns(self, size: str) -> list[list[Path]]:
        """Films of the same pictures and different bytes: ours would not look at one twice."""
        if size not in self._films:
            folder = self._folder / size
            folder.mkdir()
            write_film(folder / "film.mp4", SIZES[size], SECONDS * RATE, KEY_FRAMES)
            made = copies(folder / "film.mp4")
            self._films[size] = list(islice(made, self._count))
        films, many = self._films[size], self._at_once
        return [films[start : start + many] for start in range(0, len(films), many)]


def summarise(found: Sequence[Figures]) -> None:
    """Geometric means over the cases."""
    papers = statistics.geometric_mean(each.papers / each.ours for each in found)
    composed = statistics.geometric_mean(each.composed / each.ours for each in found)
    figures = {
        "ratio_papers": round(papers, 1),
        "ratio_composed": round(composed, 2),
        "cases": len(found),
        "cases_missing": sorted(CASES.keys() - {each.case for each in found}),
        "load": sorted({each.load for each in found}),
    }
    print(json.dumps(figures))


def _line(each: Figures) -> str:
    return (
        f"{each.case:<10}ours {each.ours:6.2f} s   composed {each.composed:6.2f} s "
        f"({each.composed / each.ours:.1f}×)   papers {each.papers:7.1f} s "
        f"({each.papers / each.ours:.0f}×)"
    )


def _arguments() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m bench scan", description=__doc__)
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--case", action="append", choices=CASES, help="only this (repeatable)")
    reader.add_argument("--films", type=int, default=FILMS, help="that go in at once")
    reader.add_argument("--turns", type=int, default=TURNS, help="of each side")
    reader.add_argument("--into", metavar="FILE", help="append the figures here, sum up nothing")
    reader.add_argument("--merge", metavar="FILE", help="measure nothing, sum up this file")
    return reader.parse_args()
