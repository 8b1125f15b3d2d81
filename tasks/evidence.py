"""The picture of each segment that a reviewer looks at first: its most telling face."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping

from infra.objects import Store, evidence_key
from schemas.records import StoredObject
from unmask.media.values import FaceFrame, Manifest, Person
from unmask.verdict import PersonVerdict, Segment, Verdict


def store_evidence(
    store: Store, verdict: Verdict, manifest: Manifest, clips: Mapping[int, bytes], where: "Where"
) -> tuple[Verdict, tuple[StoredObject, ...]]:
    """Put one picture per segment into the store and name it in the verdict."""
    people = {person.person: person for person in manifest.persons}
    stored: list[StoredObject] = []
    persons = []
    for judged in verdict.persons:
        found = list(_pictures(judged, people[judged.person], clips[judged.person]))
        objects = [
            _put(store, where, judged.person, number, picture)
            for number, picture in enumerate(found)
        ]
        stored += objects
        persons.append(_named(judged, objects))
    return dataclasses.replace(verdict, persons=tuple(persons)), tuple(stored)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Where:
    """What an evidence picture belongs to."""

    sha256: str
    model_digest: str


def _pictures(judged: PersonVerdict, person: Person, clip: bytes) -> Iterator[bytes]:
    for segment in judged.segments:
        frame = _telling(person, segment)
        yield clip[frame.offset : frame.offset + frame.length]


def _telling(person: Person, segment: Segment) -> FaceFrame:
    return min(person.frames, key=lambda frame: abs(frame.time_s - segment.telling_s))


def _put(store: Store, where: Where, person: int, number: int, picture: bytes) -> StoredObject:
    key = evidence_key(
        where.sha256,
        where.model_digest,
        person=person,
        window=number,
        picture_sha256=hashlib.sha256(picture).hexdigest(),
    )
    return store.put(key, picture)


def _named(judged: PersonVerdict, objects: list[StoredObject]) -> PersonVerdict:
    segments = tuple(
        dataclasses.replace(segment, evidence=one.key)
        for segment, one in zip(judged.segments, objects, strict=True)
    )
    return dataclasses.replace(judged, segments=segments)
