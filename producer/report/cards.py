"""One row as the page shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producer.closing import why
from producer.report.facts import Fact, facts, text
from producer.report.pictures import Gallery
from producer.report.timeline import Thresholds, Timeline, clock, timeline
from producer.report.words import Tone, Word, word
from schemas.records import ResultRow
from unmask.wording import likely, percent, printable

#: A name that is cut on a narrow screen keeps its end: so many characters of it.
TAIL = 12
#: Pictures of one person in the page, the most telling first.
PICTURES = 7
#: Units of the line below a face.
LINE_WIDTH, LINE_HEIGHT = 100.0, 24.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    picture: str
    moment: str
    says: str
    tone: Tone
    #: The same face, warm where the reasons lie; empty where it is not shown.
    heat: str
    #: What each frame around that moment says, as points of a line in 100 × 24.
    line: str


@dataclass(frozen=True, kw_only=True)
class PersonCard:
    number: int
    tone: Tone
    says: str
    timeline: Timeline | None
    evidence: tuple[Evidence, ...]
    left_out: int

    @property
    def is_warm(self) -> bool:
        return any(one.heat for one in self.evidence)


@dataclass(frozen=True, kw_only=True)
class Card:
    item: int
    rank: int
    uri: str
    name: str
    tail: str
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
    extra: tuple[Fact, ...]
    facts: tuple[Fact, ...]


def card(row: ResultRow, place: int, gallery: Gallery) -> Card:
    people = tuple(_people(row, gallery))
    folder, _, name = printable(row.uri).rpartition("/")
    return Card(
        item=row.item,
        rank=place,
        uri=printable(row.uri),
        name=(name or folder)[:-TAIL],
        tail=(name or folder)[-TAIL:],
        place=folder if name else "",
        word=word(row.outcome),
        outcome=row.outcome.value if row.outcome else "open",
        reason=why(row),
        probability=row.probability,
        likely="" if row.probability is None else percent(row.probability),
        length=_length(row),
        length_s=row.duration_s or 0.0,
        cost_s=row.cpu_seconds + row.gpu_seconds,
        thumbnail=_thumbnail(people),
        people=people,
        notes=tuple(printable(note) for note in row.notes),
        extra=tuple(
            Fact(name=printable(name), value=text(value)) for name, value in row.extra.items()
        ),
        facts=tuple(facts(row)),
    )


def _people(row: ResultRow, gallery: Gallery) -> Iterator[PersonCard]:
    thresholds = Thresholds(real=row.threshold_real, fake=row.threshold_fake)
    for person in row.persons:
        segments = person["segments"]
        shown = sorted(sorted(segments, key=_suspicion)[:PICTURES], key=lambda one: one["start_s"])
        evidence = tuple(_evidence(shown, gallery, thresholds))
        yield PersonCard(
            number=person["person"],
            tone=_tone(person, thresholds),
            says=_says(person),
            timeline=timeline(segments, row.duration_s, thresholds),
            evidence=evidence,
            left_out=sum(1 for one in segments if one.get("evidence")) - len(evidence),
        )


def _tone(person: Mapping[str, Any], thresholds: Thresholds) -> Tone:
    """Nobody is called fake who was seen only blurred."""
    tone = thresholds.tone(person["probability"])
    return "unsure" if person.get("blurred") and tone == "fake" else tone


def _says(person: Mapping[str, Any]) -> str:
    said = likely(person["probability"])
    return f"{said}, seen only blurred" if person.get("blurred") else said


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
                heat=gallery.picture(segment.get("heat")) or "",
                line=_line(segment.get("frame_scores") or ()),
            )


def _line(scores: Sequence[float]) -> str:
    """From left to right in time, the higher the more telling."""
    step = LINE_WIDTH / max(len(scores) - 1, 1)
    points = [(at * step, LINE_HEIGHT * (1 - score)) for at, score in enumerate(scores)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points) if len(points) > 1 else ""


def _thumbnail(people: tuple[PersonCard, ...]) -> str | None:
    return next((one.picture for person in people for one in person.evidence), None)


def _length(row: ResultRow) -> str:
    if row.duration_s:
        return clock(row.duration_s)
    return row.media_kind or ""
