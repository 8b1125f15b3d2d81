"""Reading alone, 1080p: moments spread over a film, and its first 150 frames."""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bench.films import RATE
from bench.media_parts import FIRST, FRAMES, Part, alternating, film_of
from bench.peers import read_with_opencv, read_with_pyav
from bench.torchcodec_peer import torchcodec_first
from unmask.media.budget import Budget
from unmask.media.plan import plan
from unmask.media.reading import read
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.spec import ScanSpec

ALL_FRAMES = 1800
SPARSE = ScanSpec(windows=5, frames=30, spacing_s=1 / RATE)
GOPS = (30, 250)


def sparse(folder: Path) -> Part:
    lines = [f"{FRAMES} of {ALL_FRAMES} frames at 1080p, reading alone:"]
    figures = dict[str, float]()
    for gop in GOPS:
        film = film_of(folder, ALL_FRAMES, gop)
        took = alternating(
            {
                "planned": partial(_timed, _planned, film, SPARSE),
                "everything": partial(_timed, _everything, film),
            }
        )
        ratio = round(took["everything"] / took["planned"], 2)
        lines.append(_line(gop, took) + f": {ratio}×")
        figures["ratio_sparse" if gop == 30 else f"ratio_sparse_gop{gop}"] = ratio
    return Part(lines=lines, figures=figures)


def contiguous(folder: Path) -> Part:
    lines = [f"the first {FRAMES} frames at 1080p, reading alone:"]
    figures = dict[str, float]()
    for gop in GOPS:
        film = film_of(folder, ALL_FRAMES, gop)
        peers: dict[str, Callable[[], float]] = {
            "opencv": partial(_timed, _first, read_with_opencv, film),
            "pyav": partial(_timed, _first, read_with_pyav, film),
        }
        if (codec := torchcodec_first(film, FRAMES)) is not None:
            peers["torchcodec"] = codec
        took = alternating({"ours": partial(_timed, _planned, film, FIRST)} | peers)
        best = min(peers, key=took.__getitem__)
        ratio = round(took[best] / took["ours"], 2)
        lines.append(_line(gop, took) + f": {ratio}× the best peer, {best}")
        figures[f"ratio_first_gop{gop}"] = ratio
    return Part(lines=lines, figures=figures)


def _line(gop: int, took: dict[str, float]) -> str:
    return f"GOP {gop}: " + ", ".join(f"{side} {s:.3f} s" for side, s in took.items())


def _planned(film: Path, spec: ScanSpec) -> None:
    """The pictures that the spec asks for, as the decoder gives them."""
    with film.open("rb") as file, opened(file, Budget(Limits())) as source:
        _read(islice(read(source, plan(source.info.duration_s, spec)), FRAMES))


def _everything(film: Path) -> None:
    for _ in read_with_pyav(film):
        pass


def _first(reader: Callable[[Path], Any], film: Path) -> None:
    _read(islice(reader(film), FRAMES))


def _read(pictures: Any) -> None:
    count = sum(1 for _ in pictures)
    assert count == FRAMES, f"{count} frames were read instead of {FRAMES}"


def _timed(work: Callable[..., None], *what: object) -> float:
    started = time.perf_counter()
    work(*what)
    return time.perf_counter() - started
