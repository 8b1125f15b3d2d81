"""The whole road, file to clips: 150 face frames, against the papers' path and a strong peer."""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.films import RATE, SIZES, face_middle, megabits_per_second
from bench.media_parts import (
    FIRST,
    FRAMES,
    ROAD_FRAMES,
    Cost,
    Part,
    Sides,
    alternating,
    cost_of,
    road_film,
    timed,
)
from bench.peers import composed_peer, papers_path
from unmask.media import extract, warm
from unmask.media.values import Box, Limits, Manifest

PAPERS_FRAMES = 3
COMPOSED_FRAMES = 30
#: Pictures in one batch of the composed peer's detector: what suits it best is what counts.
AT_ONCE = (1, 4, 8)
#: A box is a hit when its middle is so near to the face's, in sides of the box.
_NEAR = 0.25

Peer = Callable[[Path, int], int]
Took = dict[str, dict[str, Cost]]


def against_papers(folder: Path) -> Part:
    return _against("papers", papers_path, PAPERS_FRAMES, folder)


def against_composed(folder: Path) -> Part:
    """With as many pictures at once as suit the peer best here."""
    warm()
    film = road_film(folder, "480p")
    ways: Sides = {str(each): partial(_peers_cost, film, each) for each in AT_ONCE}
    took = {int(each): cost.wall for each, cost in alternating(ways).items()}
    best = min(took, key=took.__getitem__)
    part = _against("composed", partial(composed_peer, at_once=best), COMPOSED_FRAMES, folder)
    tried = ", ".join(f"{each}: {wall:.2f} s" for each, wall in took.items())
    line = f"the peer on {COMPOSED_FRAMES} frames of 480p, by how many it searches at once: {tried}"
    return Part(lines=[*part.lines, line], figures=part.figures)


def _peers_cost(film: Path, at_once: int) -> Cost:
    return cost_of(partial(composed_peer, at_once=at_once), film, COMPOSED_FRAMES)


def _against(name: str, peer: Peer, frames: int, folder: Path) -> Part:
    warm()
    peer(road_film(folder, "480p"), 1)  # what it loads is not counted, nor is what ours loads
    hits, theirs = list[int](), list[int]()
    took = {
        size: alternating(
            {
                "ours": partial(_ours, road_film(folder, size), pixels, hits),
                "theirs": partial(_scaled, peer, road_film(folder, size), frames, theirs),
            }
        )
        for size, pixels in SIZES.items()
    }
    figures = {
        f"ratio_{name}": _times(took, lambda cost: cost.wall),
        f"ratio_{name}_cpu": _times(took, lambda cost: cost.cpu),
        "recall_ours": min(hits) / FRAMES,
        f"recall_{name}": min(theirs) / frames,
    }
    return Part(lines=_lines(name, frames, took, folder), figures=figures)


def _times(took: Took, of: Callable[[Cost], float]) -> float:
    ratios = [of(each["theirs"]) / of(each["ours"]) for each in took.values()]
    return round(statistics.geometric_mean(ratios), 1)


def _lines(name: str, frames: int, took: Took, folder: Path) -> list[str]:
    lines = [
        f"{FRAMES} face frames, seconds by wall and processor; {name} scaled from {frames}:",
        f"{'':6} {'':>6} {'ours':^15} {name:^15} {'times':^13}",
        f"{'size':6} {'Mbit/s':>6}" + f" {'wall':>7} {'cpu':>7}" * 2 + f" {'wall':>6} {'cpu':>6}",
    ]
    for size, each in took.items():
        rate = megabits_per_second(road_film(folder, size), ROAD_FRAMES)
        ours, theirs = each["ours"], each["theirs"]
        lines.append(
            f"{size:6} {rate:6.2f} {ours.wall:7.3f} {ours.cpu:7.3f} {theirs.wall:7.1f}"
            f" {theirs.cpu:7.1f} {theirs.wall / ours.wall:6.1f} {theirs.cpu / ours.cpu:6.1f}"
        )
    return lines


def _ours(film: Path, size: tuple[int, int], hits: list[int]) -> Cost:
    costs: list[Cost] = []
    with timed(costs), film.open("rb") as file:
        *_, manifest = extract(file, FIRST, Limits())
    assert isinstance(manifest, Manifest)
    frames = manifest.persons[0].frames
    hits.append(sum(_is_hit(frame.box, frame.time_s, size) for frame in frames))
    return costs[0]


def _is_hit(box: Box, time_s: float, size: tuple[int, int]) -> bool:
    x, y = face_middle(size, round(time_s * RATE))
    across, down = abs(box.x + box.width / 2 - x), abs(box.y + box.height / 2 - y)
    return across < _NEAR * box.width and down < _NEAR * box.height


def _scaled(peer: Peer, film: Path, frames: int, found: list[int]) -> Cost:
    """What as many face frames as ours yields would cost; a film is opened once for all of them."""
    costs: list[Cost] = []
    with timed(costs):
        first = peer(film, 1)
    with timed(costs):
        faces = peer(film, 1 + frames)
    found.append(faces - first)
    opened, all_of_them = costs
    further = all_of_them + opened * -1
    return opened + further * ((FRAMES - 1) / max(faces - first, 1))
