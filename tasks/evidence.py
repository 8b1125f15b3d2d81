"""What a reviewer looks at first: the most telling face of each segment, and heat on suspects."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence

from infra.objects import Store, evidence_key
from schemas.records import StoredObject
from tasks.load import Loaded
from tasks.models import Scores
from unmask.media.coding import decode, encode
from unmask.media.sides import JPEG
from unmask.media.values import Person
from unmask.model.clips import PersonFrames
from unmask.model.drawing import jpeg
from unmask.model.heat import HeatMap, Warmed, overlay
from unmask.model.looks import kind_of
from unmask.model.telling import telling_windows
from unmask.outcomes import Outcome
from unmask.spec import Coding
from unmask.verdict import PersonVerdict, Segment, Verdict, WindowScore

#: So many stretches of a suspect are shown with heat, the most suspicious first. Heat costs as
#: much as scoring them did.
WARM_WINDOWS = 3
#: Digits of a frame's score in the result row: it is drawn, not computed with.
_DIGITS = 3
#: How a face is coded for a person to look at.
SHOWN: Coding = "jpeg444-q90"
#: Evidence pictures are numbered by segment; those with heat stand behind all others.
_WARM = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """A loaded item, its scores per person, and what they mean."""

    loaded: Loaded
    scores: Sequence[Sequence[WindowScore]]
    verdict: Verdict


@dataclasses.dataclass(frozen=True, kw_only=True)
class Warm:
    """A face with heat over it, and what each frame around it says alone."""

    picture: bytes
    frame_scores: tuple[float, ...]


#: (person, segment), both counted from 0.
Spot = tuple[int, int]


def warm_faces(
    predictor: Scores, batch: Sequence[Judged], deadline: Callable[[], None]
) -> list[Mapping[Spot, Warm]]:
    """For each item of the batch; one pass over all suspects. Nobody is one without a verdict."""
    spots = [_spots(each) if not predictor.bundle.untrained else {} for each in batch]
    wanted = [
        _wanted(_person(each, person), place, frame)
        for each, own in zip(batch, spots, strict=True)
        for (person, place), frame in own.items()
    ]
    maps = iter(predictor.heat(wanted, deadline) if wanted else [])
    return [
        {spot: _warm(each, spot, frame, next(maps)) for spot, frame in own.items()}
        for each, own in zip(batch, spots, strict=True)
    ]


def _wanted(person: PersonFrames, place: int, frame: int) -> Warmed:
    return Warmed(kind_of(person), person.windows[place], [frame])


def _spots(judged: Judged) -> dict[Spot, int]:
    """Of everybody not judged genuine: the most suspicious segments and their telling frames."""
    return {
        (who.index, place): frame
        for who in judged.verdict.persons
        if who.outcome is not Outcome.REAL
        for place, frame in telling_windows(
            _person(judged, who.index), judged.scores[who.index], WARM_WINDOWS
        )
    }


def _person(judged: Judged, index: int) -> PersonFrames:
    return judged.loaded.persons[index]


def _warm(judged: Judged, spot: Spot, frame: int, maps: Sequence[HeatMap]) -> Warm:
    person, place = spot
    face = _person(judged, person).windows[place].frames[frame]
    scores = judged.scores[person][place].frame_scores
    return Warm(
        picture=jpeg(overlay(face, maps[0])),
        frame_scores=tuple(round(score, _DIGITS) for score in scores),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Where:
    """What an evidence picture belongs to."""

    sha256: str
    spec_digest: str
    model_digest: str


def store_evidence(
    store: Store, judged: Judged, warm: Mapping[Spot, Warm], where: Where
) -> tuple[Verdict, tuple[StoredObject, ...]]:
    """Put the pictures into the store and name them in the verdict."""
    stored: list[StoredObject] = []

    def put(person: int, number: int, picture: bytes) -> str:
        stored.append(store.put(_key(where, person, number, picture), picture))
        return stored[-1].key

    def shown(who: PersonVerdict, number: int, segment: Segment) -> Segment:
        plain = _telling(judged, who.index, segment)
        named = dataclasses.replace(segment, evidence=put(who.index, number, plain))
        hot = warm.get((who.index, number))
        if hot is None:
            return named
        key = put(who.index, _WARM + number, hot.picture)
        return dataclasses.replace(named, heat=key, frame_scores=hot.frame_scores)

    persons = tuple(
        dataclasses.replace(
            who, segments=tuple(shown(who, number, one) for number, one in enumerate(who.segments))
        )
        for who in judged.verdict.persons
    )
    return dataclasses.replace(judged.verdict, persons=persons), tuple(stored)


def _telling(judged: Judged, index: int, segment: Segment) -> bytes:
    """A JPEG of the face, the very one of the clip where that is coded so: a browser shows it."""
    person: Person = judged.loaded.manifest.persons[index]
    frame = min(person.frames, key=lambda each: abs(each.time_s - segment.telling_s))
    coded = judged.loaded.clips[index][frame.offset : frame.offset + frame.length]
    face = None if coded.startswith(JPEG) else decode(coded)
    return coded if face is None else encode(face, SHOWN)


def _key(where: Where, person: int, number: int, picture: bytes) -> str:
    return evidence_key(
        where.sha256,
        where.spec_digest,
        where.model_digest,
        person=person,
        window=number,
        picture_sha256=hashlib.sha256(picture).hexdigest(),
    )
