"""One row as the page shows it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from producer.plain import printable, shorten
from producer.report.flat import json_record
from producer.report.pictures import Gallery
from producer.report.timeline import (
    Thresholds,
    Timeline,
    clock,
    likely,
    percent,
    timeline,
)
from producer.report.words import Tone, Word, word
from schemas.records import ResultRow

NAME_CELLS, PLACE_CELLS = 56, 72
#: Pictures of one person in the page, the most telling first.
PICTURES = 7
#: What the technical list leaves to other parts of the card.
SHOWN_ELSEWHERE = frozenset(
    (
        "campaign",
        "outcome",
        "reason",
        "probability",
        "persons",
        "evidence",
        "extra",
        "stage",
        "notes",
    )
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    picture: str
    moment: str
    says: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class PersonCard:
    number: int
    tone: Tone
    says: str
    timeline: Timeline | None
    evidence: tuple[Evidence, ...]
    left_out: int


@dataclass(frozen=True, kw_only=True)
class Card:
    item: int
    rank: int
    uri: str
    name: str
    place: str
    word: Word
    outcome: str
    reason: str
    probability: float | None
    likely: str
    length: str
    length_s: float
    cost_s: float
    thumbnail: str | None
    people: tuple[PersonCard, ...]
    notes: tuple[str, ...]
    extra: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


def card(row: ResultRow, place: int, gallery: Gallery) -> Card:
    people = tuple(_people(row, gallery))
    folder, _, name = printable(row.uri).rpartition("/")
    return Card(
        item=row.item,
        rank=place,
        uri=printable(row.uri),
        name=shorten(name or folder, NAME_CELLS),
        place=shorten(folder, PLACE_CELLS),
        word=word(row.outcome),
        outcome=row.outcome.value if row.outcome else "open",
        reason=printable(row.reason),
        probability=row.probability,
        likely="" if row.probability is None else percent(row.probability),
        length=_length(row),
        length_s=row.duration_s or 0.0,
        cost_s=row.cpu_seconds + row.gpu_seconds,
        thumbnail=_thumbnail(people),
        people=people,
        notes=tuple(printable(note) for note in row.notes),
        extra=tuple((printable(name), _text(value)) for name, value in row.extra.items()),
        facts=tuple(_facts(row)),
    )


def _people(row: ResultRow, gallery: Gallery) -> Iterator[PersonCard]:
    thresholds = Thresholds(real=row.threshold_real, fake=row.threshold_fake)
    for person in row.persons:
        segments = person["segments"]
        shown = sorted(sorted(segments, key=_suspicion)[:PICTURES], key=lambda one: one["start_s"])
        evidence = tuple(_evidence(shown, gallery, thresholds))
        yield PersonCard(
            number=person["person"],
            tone=thresholds.tone(person["probability"]),
            says=likely(person["probability"]),
            timeline=timeline(segments, row.duration_s, thresholds),
            evidence=evidence,
            left_out=sum(1 for one in segments if one.get("evidence")) - len(evidence),
        )


def _suspicion(segment: Mapping[str, Any]) -> float:
    return -(segment["probability"] or 0.0)


def _evidence(
    segments: list[dict[str, Any]], gallery: Gallery, thresholds: Thresholds
) -> Iterator[Evidence]:
    for segment in segments:
        picture = gallery.picture(segment.get("evidence"))
        if picture:
            yield Evidence(
                picture=picture,
                moment=clock(segment["telling_s"]),
                says="" if segment["probability"] is None else percent(segment["probability"]),
                tone=thresholds.tone(segment["probability"]),
            )


def _thumbnail(people: tuple[PersonCard, ...]) -> str | None:
    return next((one.picture for person in people for one in person.evidence), None)


def _length(row: ResultRow) -> str:
    if row.duration_s:
        return clock(row.duration_s)
    return row.media_kind or ""


def _facts(row: ResultRow) -> Iterator[tuple[str, str]]:
    for name, value in json_record(row).items():
        if name not in SHOWN_ELSEWHERE and value not in (None, "", []):
            yield name.replace("_", " "), _text(value)


def _text(value: Any) -> str:
    match value:
        case str():
            return printable(value)
        case float():
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        case _:
            return printable(json.dumps(value, ensure_ascii=False))
