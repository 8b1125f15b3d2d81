"""The whole road, file to clips: 150 face frames, against the papers' path and a strong peer."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.films import RATE, SIZES, face_middle, megabits_per_second
from bench.media_parts import FIRST, FRAMES, Part, alternating, road_film
from bench.peers import composed_peer, papers_path
from unmask.media import extract, warm
from unmask.media.values import Box, Limits, Manifest

PAPERS_FRAMES = 3
COMPOSED_FRAMES = 30
#: A box is a hit when its middle is so near to the face's, in sides of the box.
_NEAR = 0.25

Peer = Callable[[Path, int], tuple[float, int]]


def against_papers(folder: Path) -> Part:
    return _against("papers", papers_path, PAPERS_FRAMES, folder)


def against_composed(folder: Path) -> Part:
    return _against("composed", composed_peer, COMPOSED_FRAMES, folder)


def _against(name: str, peer: Peer, frames: int, folder: Path) -> Part:
    warm()
    lines = [
        f"{FRAMES} face frames, {name} scaled from {frames}:",
        f"{'size':6} {'Mbit/s':>6} {'ours s':>8} {name + ' s':>11} {'times':>6}",
    ]
    ratios, hits, theirs = list[float](), list[int](), list[int]()
    for size, pixels in SIZES.items():
        film = road_film(folder, size)
        took = alternating(
            {
                "ours": partial(_ours, film, pixels, hits),
                "theirs": partial(_scaled, peer, film, frames, theirs),
            }
        )
        ratios.append(took["theirs"] / took["ours"])
        rate = megabits_per_second(film, 180)
        lines.append(
            f"{size:6} {rate:6.2f} {took['ours']:8.3f} {took['theirs']:11.2f} {ratios[-1]:6.1f}"
        )
    figures = {
        f"ratio_{name}": round(statistics.geometric_mean(ratios), 1),
        "recall_ours": min(hits) / FRAMES,
        f"recall_{name}": min(theirs) / frames,
    }
    lines.append(", ".join(f"{figure} {value}" for figure, value in figures.items()))
    return Part(lines=lines, figures=figures)


def _ours(film: Path, size: tuple[int, int], hits: list[int]) -> float:
    started = time.perf_counter()
    with film.open("rb") as file:
        *_, manifest = extract(file, FIRST, Limits())
    seconds = time.perf_counter() - started
    assert isinstance(manifest, Manifest)
    frames = manifest.persons[0].frames
    hits.append(sum(_is_hit(frame.box, frame.time_s, size) for frame in frames))
    return seconds


def _is_hit(box: Box, time_s: float, size: tuple[int, int]) -> bool:
    x, y = face_middle(size, round(time_s * RATE))
    across, down = abs(box.x + box.width / 2 - x), abs(box.y + box.height / 2 - y)
    return across < _NEAR * box.width and down < _NEAR * box.height


def _scaled(peer: Peer, film: Path, frames: int, found: list[int]) -> float:
    """Seconds for as many face frames as ours yields."""
    seconds, faces = peer(film, frames)
    found.append(faces)
    return seconds * FRAMES / max(faces, 1)
