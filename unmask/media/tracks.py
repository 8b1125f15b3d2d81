"""Faces followed inside shots: detected at the ends of short runs, tracked between.

a run:       D · · · · · · · · · · D      both ends agree, every step is sure: two detections
             D · · · · D · · · · · D      unsure, or a face came or left: look in the middle
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from unmask.media.between import SURE, Tracked, track
from unmask.media.faces.port import Face
from unmask.media.geometry import centre, iou
from unmask.media.picture import Picture
from unmask.media.shots import chunks

#: Pictures between two detections where nothing is unsure.
RUN = 30
#: Memory that pictures waiting for the end of their run may take.
_WAITING_BYTES = 60 << 20
#: Faces that came or left are not searched for in runs shorter than this.
_SHORTEST_SEARCH = 3
#: The farthest a face moves between two detections, in sides of its box.
_FARTHEST = 1.2
_LARGEST_GROWTH = 1.8
#: Two boxes that share more than this belong to faces that meet.
_MEETING = 0.15
#: The detector's picture may shrink until the smallest face that matters takes this share of the
#: full one's longer side (40 of 640 pixels), but not below this.
_ENOUGH = 0.0625
_SMALLEST_SHARE = 0.3
_FULL_LOOK_EVERY = 8


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One face in one picture."""

    track: int
    face: Face
    #: False where it was tracked.
    detected: bool = True
    #: Another face lies over it: whose picture it is can't be told.
    clouded: bool = False


@dataclass(frozen=True, kw_only=True)
class Look:
    """One picture and everybody seen in it."""

    picture: Picture
    seen: tuple[Seen, ...]


class Follower:
    """Follows faces through one window after another; track numbers are never used twice."""

    def __init__(self, find: Callable[[Picture, float], list[Face]], min_px: float) -> None:
        self._find = find
        self._min_px = min_px
        self._numbers = itertools.count()
        self.faces_seen = 0
        self.looks = 0
        self._small_looks = -1
        #: Whoever was seen last, also in an earlier shot: that tells how large faces are here.
        self._last_known: Sequence[Seen] = ()

    def follow(self, pictures: Iterable[Picture], wanted: int | None = None) -> Iterator[Look]:
        """`wanted`: frames of one face that are asked for, where that is known."""
        pictures = iter(pictures)
        first = next(pictures, None)
        if first is None:
            return
        # Before the rest of its run is here: that is decoded meanwhile.
        last = self._first_look(first)
        most, shown = _longest(first), Counter[int]()

        def longest(begins_shot: bool) -> int:
            """What a run reaches beyond the last frame that is missing is read for nothing."""
            here = () if begins_shot else tuple(filter(self._shows, last.seen))
            if wanted is None or not (here or begins_shot):
                return most
            missing = wanted - max((shown[seen.track] for seen in here), default=0)
            return min(most, missing) if missing > 0 else most

        for begins_shot, chunk in chunks(itertools.chain([first], pictures), longest):
            if chunk[0] is first:
                looks = [last, *self._through(last, chunk[1:])]
            elif begins_shot:
                last = self._first_look(chunk[0])
                looks = [last, *self._through(last, chunk[1:])]
            else:
                looks = self._through(last, chunk)
            last = looks[-1]
            self._last_known = last.seen or self._last_known
            shown.update(seen.track for look in looks for seen in look.seen if self._shows(seen))
            chunk.clear()
            # None is kept once it was passed on: the next run needs the room.
            yield from _let_go(looks)

    def _first_look(self, picture: Picture) -> Look:
        found = self._detect(picture, self._last_known)
        return Look(picture=picture, seen=self._fresh(found, found))

    def glance(self, picture: Picture) -> list[Face]:
        """A full look at a single picture; nobody is followed from it."""
        return self._detect(picture, ())

    def _through(self, first: Look, rest: Sequence[Picture]) -> list[Look]:
        """Looks at the pictures after the first, which was looked at already."""
        if not rest:
            return []
        return self._resolve(first, rest, self._detect(rest[-1], first.seen))

    def _resolve(self, first: Look, rest: Sequence[Picture], found: list[Face]) -> list[Look]:
        pairs = match(first.seen, found)
        pictures = [first.picture, *rest]
        ways = {number: track(pictures, one.face, other) for number, one, other in pairs}
        if len(rest) > 1 and self._is_unsure(first, found, pairs, ways, len(rest)):
            middle = (len(rest) - 1) // 2
            near = self._detect(rest[middle], first.seen)
            looks = self._resolve(first, rest[: middle + 1], near)
            return looks + self._resolve(looks[-1], rest[middle + 1 :], found)
        return [*_between(rest, ways, pairs), self._last(rest[-1], found, pairs)]

    def _is_unsure(
        self,
        first: Look,
        found: list[Face],
        pairs: "list[Pair]",
        ways: dict[int, list[Tracked]],
        steps: int,
    ) -> bool:
        if any(step.score < SURE for way in ways.values() for step in way):
            return True
        if any(seen.clouded for seen in first.seen) or any(_clouded(face, found) for face in found):
            return True
        if steps < _SHORTEST_SEARCH:
            return False
        paired = {number for number, _, _ in pairs}
        left = any(seen.track not in paired and self._matters(seen.face) for seen in first.seen)
        kept = {id(face) for _, _, face in pairs}
        return left or any(id(face) not in kept and self._matters(face) for face in found)

    def _shows(self, seen: Seen) -> bool:
        return not seen.clouded and self._matters(seen.face)

    def _matters(self, face: Face) -> bool:
        return _side(face) >= self._min_px

    def _last(self, picture: Picture, found: list[Face], pairs: "list[Pair]") -> Look:
        """Who came out of a meeting of two faces is told by encodings, not by where they are."""
        numbers = {id(face): number for number, seen, face in pairs if not seen.clouded}
        known = [
            self._seen(face, found, numbers[id(face)]) for face in found if id(face) in numbers
        ]
        fresh = self._fresh([face for face in found if id(face) not in numbers], found)
        return Look(picture=picture, seen=(*known, *fresh))

    def _fresh(self, fresh: list[Face], found: list[Face]) -> tuple[Seen, ...]:
        return tuple(self._seen(face, found, next(self._numbers)) for face in fresh)

    def _seen(self, face: Face, found: list[Face], number: int) -> Seen:
        return Seen(track=number, face=face, clouded=_clouded(face, found))

    def _detect(self, picture: Picture, known: Sequence[Seen]) -> list[Face]:
        share = self._share(picture, known)
        found = self._look(picture, share)
        if share < 1.0 and len(found) < sum(self._matters(seen.face) for seen in known):
            # Half faded into another one, a face is not seen in a small picture any more.
            found = self._look(picture, 1.0)
        self.faces_seen += len(found)
        return found

    def _look(self, picture: Picture, share: float) -> list[Face]:
        self.looks += 1
        return self._find(picture, share)

    def _share(self, picture: Picture, known: Sequence[Seen]) -> float:
        """A smaller picture will do while everybody known is large; newcomers get their turn."""
        sides = [side for seen in known if (side := _side(seen.face)) >= self._min_px]
        self._small_looks = (self._small_looks + 1) % _FULL_LOOK_EVERY
        if not sides or not self._small_looks:
            return 1.0
        return min(1.0, max(_SMALLEST_SHARE, _ENOUGH / (min(sides) / max(picture.view.size))))


def _let_go(looks: list[Look]) -> Iterator[Look]:
    looks.reverse()
    while looks:
        yield looks.pop()


def _clouded(face: Face, found: Sequence[Face]) -> bool:
    return any(other is not face and iou(other.box, face.box) > _MEETING for other in found)


def _side(face: Face) -> float:
    return min(face.box.width, face.box.height)


#: The number of a track, its face before and its face after.
Pair = tuple[int, Seen, Face]


def match(before: Sequence[Seen], after: Sequence[Face]) -> list[Pair]:
    """Who is who: the nearest first, nobody twice."""
    ranked = sorted(
        (
            (_distance(seen.face, face), i, j)
            for i, seen in enumerate(before)
            for j, face in enumerate(after)
        ),
    )
    used: tuple[set[int], set[int]] = (set(), set())
    pairs: list[Pair] = []
    for distance, i, j in ranked:
        if distance <= _FARTHEST and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append((before[i].track, before[i], after[j]))
    return pairs


def _distance(one: Face, other: Face) -> float:
    """Between centres, in sides of the box; out of reach where the size changed too much."""
    sides = (max(face.box.width, face.box.height) for face in (one, other))
    small, large = sorted(sides)
    if large > small * _LARGEST_GROWTH:
        return float("inf")
    (x0, y0), (x1, y1) = centre(one.box), centre(other.box)
    return float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5) * 2 / (small + large)


def _between(
    rest: Sequence[Picture], ways: dict[int, list[Tracked]], pairs: list[Pair]
) -> list[Look]:
    return [
        Look(
            picture=picture,
            seen=tuple(
                Seen(track=number, face=Face(box=ways[number][step].box), detected=False)
                for number, seen, _ in pairs
                if not seen.clouded
            ),
        )
        for step, picture in enumerate(rest[:-1])
    ]


def _longest(picture: Picture) -> int:
    """Runs are shorter where pictures are large."""
    size = sum(plane.nbytes for plane in picture.planes)
    return max(2, min(RUN, _WAITING_BYTES // max(size, 1)))
