"""The road of one file: probe → decode → faces → tracks → crop → clips."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import BinaryIO

from unmask.errors import Refused
from unmask.media.ahead import ahead
from unmask.media.align import Cut, cut
from unmask.media.budget import Budget, memory_is_an_outcome
from unmask.media.clips import make_clip
from unmask.media.coding import encode, sharpness
from unmask.media.crop import face_px
from unmask.media.endings import cut_short
from unmask.media.faces import Detector, Face, detector, full_look_px, look
from unmask.media.papers import PapersEye, is_papers
from unmask.media.people import Trail, people
from unmask.media.picture import Picture
from unmask.media.plan import Plan, Window, plan
from unmask.media.portrait import portrait
from unmask.media.reading import Progress, Read, most_ahead, read
from unmask.media.second import glances, windows_at
from unmask.media.source import Source, opened
from unmask.media.tracks import RUN, Follower, Look, Seen
from unmask.media.values import Box, Clip, FaceFrame, Limits, Manifest, Person
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.wording import counted

#: Faces followed in one picture, as a multiple of the people judged.
_CROWD = 3
#: A portrait is taken anew when the face is so much larger, or less covered.
_BETTER = 1.1
_LONGEST_NOTE = 500


def extract(file: BinaryIO, spec: ScanSpec, limits: Limits) -> Iterator[Clip | Manifest]:
    """Yields a clip per person, then the manifest; raises `Refused` where nothing can be seen."""
    budget, cut_off = Budget(limits), cut_short(file)
    with memory_is_an_outcome(), opened(file, budget) as source:
        gathering = _gather(source, spec, cut_off)
        yield from gathering.results()


def _gather(source: Source, spec: ScanSpec, cut_off: str) -> "Gathering":
    info = source.info
    gathering = Gathering(
        source=source,
        spec=spec,
        plan=plan(info.duration_s, spec, info.frame_rate),
        cut_off=cut_off,
    )
    gathering.follow(gathering.plan)
    if not gathering.trails:
        gathering.look_again()
    return gathering


@dataclass(kw_only=True)
class Gathering:
    """What was seen so far; pictures are gone, only coded faces stay."""

    source: Source
    spec: ScanSpec
    plan: Plan
    #: Says so where the file is shorter than its header tells.
    cut_off: str = ""
    trails: dict[int, Trail] = field(default_factory=dict)
    largest_px: int = 0
    #: Faces beyond the crowd that was followed, in the fullest picture.
    beyond_crowd: int = 0
    progress: Progress = field(init=False)
    looked_s: float = 0.0
    #: Counted here where nothing is followed.
    pictures_searched: int = 0
    faces_seen: int = 0
    face_pictures: int = 0
    #: People who were seen in fewer frames than are needed.
    too_brief: int = 0
    _follower: Follower = field(init=False)
    _last_looked: tuple[Window, float] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.progress = Progress.of(self.source)
        # Not a method of this: the two would keep one another, and a picture with them.
        looked = partial(_look, self.spec, detector(self.spec.detector))
        self._follower = Follower(looked, self.spec.min_face_px)

    def follow(self, plan: Plan) -> None:
        """Every window of the plan, until there is enough."""
        most = most_ahead(self.source)
        with closing(ahead(read(self.source, plan), most, plan.face_frames)) as pictures:
            if is_papers(self.spec):
                self._take_as_papers(pictures)
            else:
                self._take(pictures, plan)
        if not self.has_enough:
            self.progress = Progress.of(self.source)

    def _take(self, pictures: Iterator[Read], plan: Plan) -> None:
        """Faces of one run are cut while those of the next are looked for."""
        with closing(ahead(self._looks(pictures, plan), RUN, plan.face_frames)) as looks:
            for window, shown in looks:
                self._count_time(window, shown.picture.time_s)
                self._keep(shown, window)
                if self.has_enough:
                    return

    def _looks(self, pictures: Iterator[Read], plan: Plan) -> Iterator[tuple[Window, Look]]:
        for window, seen in groupby(pictures, key=lambda each: each.window):
            for shown in self._follower.follow(self._pictures(seen), plan.face_frames):
                yield window, shown

    def _count_time(self, window: Window, moment_s: float) -> None:
        fresh = self._last_looked is None or self._last_looked[0] is not window
        last_s = moment_s if fresh or self._last_looked is None else self._last_looked[1]
        self.looked_s += moment_s - last_s + (window.spacing_s or 0.0) * fresh
        self._last_looked = window, moment_s

    def look_again(self) -> None:
        """Nobody in any window: glances between them tell where somebody is."""
        info = self.source.info
        moments = list(self._glanced(glances(self.plan, info.duration_s)))
        self.follow(windows_at(moments, self.spec, info.frame_rate))

    def _glanced(self, plan: Plan) -> Iterator[float]:
        for each in read(self.source, plan):
            found = self._follower.glance(each.picture)
            if any(face_px(face.box) >= self.spec.min_face_px for face in found):
                yield each.picture.time_s

    def _pictures(self, seen: Iterator[Read]) -> Iterator[Picture]:
        for each in seen:
            self.progress = each.progress
            yield each.picture

    def _take_as_papers(self, pictures: Iterator[Read]) -> None:
        eye = PapersEye(detector(self.spec.detector), self.spec)
        for each in pictures:
            self.progress, window, picture = each.progress, each.window, each.picture
            taken = eye.take(picture)
            self.pictures_searched += 1
            if taken is not None:
                self.faces_seen += taken.found
                self.face_pictures += 1
                self.looked_s = picture.time_s
                shown = Cut(picture=taken.picture, box=taken.box)
                self._add(0, shown, _frame(window, picture, shown, taken.box, detected=taken.found))
            if self.has_enough:
                return

    @property
    def has_enough(self) -> bool:
        """The main person has all frames asked for, or a cut went to others for as long again."""
        wanted = self.plan.face_frames
        if wanted is None or self.face_pictures < wanted:
            return False
        most = max(len(trail.frames) for trail in self.trails.values())
        return most >= wanted or self.face_pictures >= 2 * wanted

    def _keep(self, look: Look, window: Window) -> None:
        ranked = sorted(look.seen, key=lambda seen: -face_px(seen.face.box))
        kept = [self._keep_face(look, seen, window) for seen in ranked[: self._crowd]]
        self.face_pictures += any(kept)
        beyond = sum(self._is_large_enough(seen) for seen in ranked[self._crowd :])
        self.beyond_crowd = max(self.beyond_crowd, beyond)

    def _is_large_enough(self, seen: Seen) -> bool:
        return face_px(seen.face.box) >= self.spec.min_face_px

    @property
    def _crowd(self) -> int:
        return self.spec.persons * _CROWD

    def _keep_face(self, look: Look, seen: Seen, window: Window) -> bool:
        pixels = face_px(seen.face.box)
        self.largest_px = max(self.largest_px, pixels)
        if seen.clouded or not self._is_large_enough(seen):
            return False
        shown = cut(look.picture, seen.face.box, self.spec)
        frame = _frame(window, look.picture, shown, seen.face.box, detected=seen.detected)
        trail = self._add(seen.track, shown, frame)
        quality = pixels * seen.face.score**2
        if seen.detected and quality > trail.portrait_quality * _BETTER:
            trail.portrait_quality = quality
            trail.portrait = portrait(look.picture, seen.face.box)
        return True

    def _add(self, track: int, shown: Cut, frame: FaceFrame) -> Trail:
        trail = self.trails.setdefault(track, Trail(track=track))
        trail.frames.append((frame, encode(shown.picture, self.spec.coding)))
        return trail

    def results(self) -> Iterator[Clip | Manifest]:
        everybody = people(list(self.trails.values()))
        frames = [sorted_frames(group) for group in everybody]
        long_enough = [each for each in frames if len(each) >= self._fewest]
        self.too_brief = len(frames) - len(long_enough)
        judged, pages = long_enough[: self.spec.persons], list[Person]()
        for number, each in enumerate(judged):
            clip, page = make_clip(number, each[: self._most])
            pages.append(page)
            yield clip
        outcome, reason = self._outcome(bool(pages))
        yield Manifest(
            media=self.source.info,
            spec_digest=self.spec.digest,
            size=self.spec.size,
            persons=tuple(pages),
            left_out=len(long_enough) - len(judged) + self.beyond_crowd,
            faces_seen=self._follower.faces_seen + self.faces_seen,
            frames_decoded=self.progress.frames_decoded,
            coverage=self._coverage(),
            outcome=outcome,
            reason=reason,
            partial=self.progress.broken_packets > 0 or bool(self.cut_off),
            notes=self._notes(bool(pages)),
        )

    @property
    def _fewest(self) -> int:
        """Never more than were asked for."""
        return 1 if self.source.info.kind == "picture" else min(self.spec.min_frames, self._most)

    @property
    def _most(self) -> int:
        return self.spec.frames * self.spec.windows

    def _coverage(self) -> float:
        duration = self.source.info.duration_s
        if self.source.info.kind == "picture":
            return 1.0
        return min(1.0, round(self.looked_s / duration, 4)) if duration else 0.0

    def _outcome(self, found: bool) -> tuple[Outcome | None, str]:
        if found:
            return None, ""
        if self.trails:
            most = max(len(trail.frames) for trail in self.trails.values())
            return Outcome.TOO_SHORT, (
                f"a face was seen in {counted(most, 'frame')} at most, {self._fewest} are needed"
            )
        if self.largest_px:
            return Outcome.TOO_SMALL, (
                f"the largest face has {self.largest_px} pixels, {self.spec.min_face_px} are needed"
            )
        if not self._searched:  # "no face" would say that somebody looked
            words = self.progress.last_error or "the file ends before them"
            raise Refused(
                Outcome.UNDECODABLE, f"not one of the pictures to look at can be decoded: {words}"
            )
        return Outcome.NO_FACE, f"no face in {counted(self._searched, 'picture')} looked at"

    @property
    def _searched(self) -> int:
        return self._follower.looks + self.pictures_searched

    def _notes(self, found: bool) -> tuple[str, ...]:
        brief = self._too_brief() if found else ""  # else the outcome is that
        notes = (self.cut_off, self._broken_parts(), self.source.left_aside, brief)
        return tuple(note[:_LONGEST_NOTE] for note in notes if note)

    def _too_brief(self) -> str:
        """They are neither judged nor left out, and are not to vanish without a word."""
        if not self.too_brief:
            return ""
        rest = counted(self.too_brief, "more face was", "more faces were")
        return f"{rest} seen in fewer than {self._fewest} frames, too few to judge"

    def _broken_parts(self) -> str:
        count = self.progress.broken_packets
        if not count:
            return ""
        parts = "a broken part" if count == 1 else f"{count} broken parts"
        return f"{parts}: {self.progress.last_error}"


def _look(spec: ScanSpec, find: Detector, picture: Picture, share: float) -> list[Face]:
    """At less than the whole share everybody known is large."""
    if share < 1.0:
        return look(picture, find, round(spec.detector_px * share))
    return look(picture, find, full_look_px(spec.detector, picture.view.size, spec.detector_px))


def _frame(window: Window, picture: Picture, shown: Cut, face: Box, *, detected: bool) -> FaceFrame:
    """Where its bytes lie is told when the clip is made."""
    return FaceFrame(
        window=window.index,
        time_s=picture.time_s,
        box=shown.box,
        tilt=shown.tilt,
        face_px=face_px(face),
        sharpness=sharpness(shown.picture),
        detected=detected,
        offset=0,
        length=1,
    )


def sorted_frames(group: list[Trail]) -> list[tuple[FaceFrame, bytes]]:
    """A person's frames in order of time, one per moment."""
    by_time: dict[float, tuple[FaceFrame, bytes]] = {}
    for trail in group:
        for frame, coded in trail.frames:
            by_time.setdefault(frame.time_s, (frame, coded))
    return [by_time[moment] for moment in sorted(by_time)]
