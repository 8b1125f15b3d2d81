"""Tracks become people: first by the scene they share, then by the encodings of their faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from unmask.media.colour import Rgb
from unmask.media.geometry import iou
from unmask.media.portrait import Encoding, encoding, likeness
from unmask.media.values import FaceFrame

#: Portraits more alike than this, with boxes that overlap this much, are one unbroken scene.
_ALIKE = 0.85
_SAME_PLACE = 0.4
#: dlib calls two faces one person below 0.6; a mix-up is worse than a split, so a little less.
SAME_PERSON = 0.55
#: Encodings made for one file at most; the most present faces come first.
_MOST_ENCODINGS = 40


@dataclass(kw_only=True)
class Trail:
    """Everything kept of one track."""

    track: int
    frames: list[tuple[FaceFrame, bytes]] = field(default_factory=list)
    portrait: Rgb | None = None
    #: Pixels, weighed by how sure the detector was: a covered face makes a poor portrait.
    portrait_quality: float = 0.0

    @property
    def weight(self) -> float:
        """Face area over time: who fills the picture most, longest."""
        return sum(float(frame.face_px) ** 2 for frame, _ in self.frames)

    @property
    def times(self) -> set[float]:
        return {frame.time_s for frame, _ in self.frames}


Group = list[Trail]


def people(trails: Sequence[Trail], encode: Callable[[Rgb], Encoding] = encoding) -> list[Group]:
    """One group of trails per person, the most present first."""
    groups: list[Group] = []
    for trail in sorted(trails, key=lambda trail: trail.frames[0][0].time_s):
        home = next((group for group in groups if _same_scene(group, trail)), None)
        if home is None:
            groups.append([trail])
        else:
            home.append(trail)
    groups.sort(key=weight, reverse=True)
    return groups if len(groups) < 2 else _linked(groups, encode)


def weight(group: Group) -> float:
    return sum(trail.weight for trail in group)


def _same_scene(group: Group, trail: Trail) -> bool:
    last = group[-1]
    if last.portrait is None or trail.portrait is None or _together(group, [trail]):
        return False
    before, after = last.frames[-1][0].box, trail.frames[0][0].box
    return iou(before, after) > _SAME_PLACE and likeness(last.portrait, trail.portrait) > _ALIKE


def _together(one: Group, other: Group) -> bool:
    """Two faces in one picture are two people."""
    times = set().union(*(trail.times for trail in one))
    return any(times & trail.times for trail in other)


def _linked(groups: list[Group], encode: Callable[[Rgb], Encoding]) -> list[Group]:
    """The nearest encodings are joined first, as long as they are one person's."""
    known = [
        (group, encode(best))
        for group in groups[:_MOST_ENCODINGS]
        if (best := _best(group)) is not None
    ]
    people = [([group], [found]) for group, found in known]
    while (pair := _nearest(people)) is not None:
        one, other = pair
        merged = (people[one][0] + people[other][0], people[one][1] + people[other][1])
        people = [each for place, each in enumerate(people) if place not in pair] + [merged]
    taken = {id(group) for group, _ in known}
    rest = [group for group in groups if id(group) not in taken]
    joined = [[trail for group in parts for trail in group] for parts, _ in people]
    return sorted([*joined, *rest], key=weight, reverse=True)


def _best(group: Group) -> Rgb | None:
    return max(group, key=lambda trail: trail.portrait_quality).portrait


Linked = tuple[list[Group], list[Encoding]]


def _nearest(people: Sequence[Linked]) -> tuple[int, int] | None:
    """The two that are most likely one person, or None where nobody is."""
    ranked = sorted(
        (_apart(people[i][1], people[j][1]), i, j) for j in range(len(people)) for i in range(j)
    )
    for distance, i, j in ranked:
        if distance > SAME_PERSON:
            return None
        if not _together(_flat(people[i]), _flat(people[j])):
            return i, j
    return None


def _apart(one: Sequence[Encoding], other: Sequence[Encoding]) -> float:
    """The mean distance between all pairs."""
    return float(np.mean([np.linalg.norm(a - b) for a in one for b in other]))


def _flat(person: Linked) -> Group:
    return [trail for group in person[0] for trail in group]
