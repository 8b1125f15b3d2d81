"""Reading alone, 1080p: moments spread over a film, and its first 150 frames."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bench.films import RATE
from bench.media_parts import FIRST, FRAMES, Cost, Part, Sides, alternating, cost_of, film_of
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
#: Two sides that take as long differ by a tenth in five runs, more than is asked about.
TURNS = 15


def sparse(folder: Path) -> Part:
    lines = [f"{FRAMES} of {ALL_FRAMES} frames at 1080p, reading alone:"]
    figures = dict[str, float]()
    for gop in GOPS:
        film = film_of(folder, ALL_FRAMES, gop)
        took = alternating(
            {
                "planned": partial(cost_of, _planned, film, SPARSE),
                "everything": partial(cost_of, _everything, film),
            }
        )
        ratio = round(took["everything"].wall / took["planned"].wall, 2)
        lines.append(_line(gop, took) + f": {ratio}×")
        figures["ratio_sparse" if gop == 30 else f"ratio_sparse_gop{gop}"] = ratio
    return Part(lines=lines, figures=figures)


def contiguous(folder: Path) -> Part:
    lines = [f"the first {FRAMES} frames at 1080p, reading alone:"]
    figures = dict[str, float]()
    for gop in GOPS:
        film = film_of(folder, ALL_FRAMES, gop)
        peers = _peers(film)
        took = alternating({"ours": partial(cost_of, _planned, film, FIRST)} | peers, TURNS)
        best = _quickest({name: took[name] for name in peers})
        ratio = round(took[best].wall / took["ours"].wall, 2)
        lines.append(_line(gop, took) + f": {ratio}× the best peer, {best}")
        figures[f"ratio_first_gop{gop}"] = ratio
    return Part(lines=lines, figures=figures)


def _quickest(took: dict[str, Cost]) -> str:
    return min(took, key=lambda name: took[name].wall)


def _peers(film: Path) -> Sides:
    peers: Sides = {
        "opencv": partial(cost_of, _first, read_with_opencv, film),
        "pyav": partial(cost_of, _first, read_with_pyav, film),
    }
    codec = torchcodec_first(film, FRAMES)
    return peers if codec is None else peers | {"torchcodec": codec}


def _line(gop: int, took: dict[str, Cost]) -> str:
    sides = (f"{side} {cost.wall:.3f} s ({cost.cpu:.2f} cpu)" for side, cost in took.items())
    return f"GOP {gop}: " + ", ".join(sides)


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
