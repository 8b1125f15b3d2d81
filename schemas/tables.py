"""The SQL tables, for PostgreSQL and SQLite alike.

    campaign ──< item ──< move          what is to be done, where it stands, how it came there
                  │  └──< result        the one row people read
                  └──< reference >── extraction ──< object, score

Moments of the machinery (leases, schedules, history) are seconds since 1970 in database time, so
that both databases can do arithmetic on them. The moments of a result are real timestamps.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from schemas.records import Trust
from schemas.stages import CLAIMS, FAILURES, RETURNS, Stage
from unmask.outcomes import Outcome

#: Earlier than every lease: nobody holds it, nothing is scheduled.
NEVER = 0.0
#: Later than every term: 9999-12-31.
FOREVER = 253_402_300_799.0

_NAMES = {
    "pk": "%(table_name)s_pk",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "fk": "%(table_name)s_%(column_0_N_name)s_fk",
}


class Moment(TypeDecorator[datetime]):
    """A timestamp with its time zone, also on SQLite, which keeps none: there it is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _words(kind: type[StrEnum]) -> Enum:
    """The words themselves, as text: a new one needs no migration."""
    return Enum(
        kind, native_enum=False, length=16, values_callable=lambda words: [w.value for w in words]
    )


def _one_of(stages: frozenset[Stage]) -> str:
    return "stage IN (" + ", ".join(f"'{stage}'" for stage in sorted(stages)) + ")"


#: Conditions of the partial indexes. SQLite uses such an index only where a query repeats its
#: condition word for word, so queries take them from here.
IS_OPEN = _one_of(frozenset(CLAIMS))
IS_HELD = _one_of(frozenset(RETURNS))
IS_FAILED = _one_of(FAILURES)
IS_OFFERED = "offered_until > 0"
IS_FRESH = "stage = 'waiting' AND not_before = 0"
IS_TIMED = {term: f"{term} > 0 AND {term} < {FOREVER}" for term in ("until", "evidence_until")}

#: Of an object that is to be deleted.
IS_THERE = "deleted_at = 0"

#: Without statistics SQLite guesses, and would read a campaign from end to end.
BY_OPEN = ("INDEXED BY item_open_idx", "sqlite")
BY_OFFERED = ("INDEXED BY item_offered_idx", "sqlite")
BY_HELD = ("INDEXED BY item_held_idx", "sqlite")
BY_FRESH = ("INDEXED BY item_fresh_idx", "sqlite")
BY_FAILED = ("INDEXED BY item_failed_idx", "sqlite")
BY_REVIEW = ("INDEXED BY result_review_idx", "sqlite")
BY_WAITING = ("INDEXED BY doomed_waiting_idx", "sqlite")

EMPTY = text("''")

Id = BigInteger().with_variant(Integer(), "sqlite")
Document = JSON().with_variant(JSONB(), "postgresql")


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[Mapping[Any, Any]] = {
        str: Text(),
        float: Double(),
        Stage: _words(Stage),
        Outcome: _words(Outcome),
        Trust: _words(Trust),
        datetime: Moment(),
        dict[str, Any]: Document,
        list[Any]: Document,
        bytes: LargeBinary(),
    }


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(where))


class CampaignTable(Table):
    """A named scan and what it pins."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    model_digest: Mapped[str]
    spec: Mapped[dict[str, Any]] = mapped_column(JSON())
    spec_digest: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger)
    extract_only: Mapped[bool]
    #: `running`, `paused` or `cancelled`, and why.
    state: Mapped[str] = mapped_column(server_default="running")
    reason: Mapped[str] = mapped_column(server_default=EMPTY)
    created_at: Mapped[float]
    first_started_at: Mapped[float] = mapped_column(server_default=text("0"))
    #: When its items were last put into the window: campaigns take turns.
    served_at: Mapped[float] = mapped_column(server_default=text("0"))
    #: Seconds for which clips and evidence are kept after an item ended; None: for ever.
    keep_clips_s: Mapped[float | None]
    keep_evidence_s: Mapped[float | None]
    #: The host that was served last: hosts take turns too.
    host_cursor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class ItemTable(Table):
    """One line of a source and where it stands."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("campaign_id", "digest"),
        Index("item_campaign_idx", "campaign_id", "id"),
        _partial("item_open_idx", "campaign_id", "stage", "not_before", "id", where=IS_OPEN),
        _partial("item_offered_idx", "stage", "offered_until", where=IS_OFFERED),
        _partial("item_held_idx", "lease_until", where=IS_HELD),
        _partial("item_fresh_idx", "campaign_id", "host", "id", where=IS_FRESH),
        _partial("item_failed_idx", "campaign_id", "stage", "finished_at", "id", where=IS_FAILED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    #: Of address and stamp: what makes a line the same line.
    digest: Mapped[bytes]
    uri: Mapped[str]
    #: The number of its host, or of the one that it was redirected to; 0 where no stranger is
    #: visited for it.
    host: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    #: Another one on its way to that host, whose room it needs as well; 0: none.
    hop: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    trust: Mapped[Trust]
    stamp: Mapped[str] = mapped_column(server_default=EMPTY)
    source: Mapped[str] = mapped_column(server_default=EMPTY)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON())

    stage: Mapped[Stage] = mapped_column(server_default=Stage.WAITING)
    #: Counts the claims; a write that carries an older number is refused.
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    owner: Mapped[str] = mapped_column(server_default=EMPTY)
    #: Attempts charged in this stage, and in all stages together.
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    charged: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    fetch_tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    #: How often it was led to a host that had no room for it.
    waits: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    #: How often it was offered since somebody last took it.
    offers: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[float] = mapped_column(server_default=text("0"))
    offered_until: Mapped[float] = mapped_column(server_default=text("0"))
    lease_until: Mapped[float] = mapped_column(server_default=text("0"))
    #: No renewal reaches past it.
    deadline_at: Mapped[float] = mapped_column(server_default=text("0"))
    claimed_at: Mapped[float] = mapped_column(server_default=text("0"))
    #: 1 while its worker may hold a connection to its host.
    visiting: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    #: 1 where its worker holds other items beside it.
    company: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    #: 1 after a worker died with it in company: whose fault it was shows when it runs alone.
    suspected: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    last_error: Mapped[str] = mapped_column(server_default=EMPTY)
    log: Mapped[str] = mapped_column(server_default=EMPTY)

    #: How its bytes came, and what they yielded.
    final_uri: Mapped[str | None]
    #: Of the content; where only a part of it came, an identity of this item's own.
    sha256: Mapped[str | None]
    #: `{identity, size, validator, ranges}` where only a part came.
    fetched_part: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    extraction_id: Mapped[int | None] = mapped_column(ForeignKey("extraction.id"))
    inherited_from: Mapped[int | None] = mapped_column(Id)
    outcome: Mapped[Outcome | None]
    #: What it cost so far, over all attempts that told.
    cpu_seconds: Mapped[float] = mapped_column(server_default=text("0"))
    gpu_seconds: Mapped[float] = mapped_column(server_default=text("0"))
    bytes_fetched: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    submitted_at: Mapped[float]
    started_at: Mapped[float] = mapped_column(server_default=text("0"))
    finished_at: Mapped[float] = mapped_column(server_default=text("0"))


class MoveTable(Table):
    """Every move of every item, never changed. That it was submitted says its own row."""

    __tablename__ = "move"
    __table_args__ = (Index("move_item_idx", "item_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    #: Without a foreign key: checking it would halve the speed of a submit.
    item_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[float]
    #: None: it was submitted, under a version that wrote this too.
    old: Mapped[Stage | None]
    new: Mapped[Stage]
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    owner: Mapped[str] = mapped_column(server_default=EMPTY)
    note: Mapped[str] = mapped_column(server_default=EMPTY)


class TallyTable(Table):
    """Running counts, so that a status costs the same at ten items and at ten million.

    A count is spread over slots that add up, so that workers don't queue for one row.
    """

    __tablename__ = "tally"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    #: Empty while there is none.
    outcome: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    items: Mapped[int] = mapped_column(BigInteger)
    footage_s: Mapped[float]
    cpu_seconds: Mapped[float]
    gpu_seconds: Mapped[float]
    bytes_fetched: Mapped[int] = mapped_column(BigInteger)
    #: Items that ever ended so, and the footage they answered: what is recalled or erased leaves
    #: `items` and `footage_s`, and stays in these. Whole numbers, since a sum of fractions may fall
    #: by a rounding.
    ended: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    answered_ms: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class OccurrenceTable(Table):
    """How often something happened in a campaign: what the brake looks at."""

    __tablename__ = "occurrence"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    #: `schemas.records.Happening`.
    what: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)
    #: When it last did, and with which words.
    at: Mapped[float]
    words: Mapped[str]


class PlaceTable(Table):
    """A place that is visited and had trouble, or is visited by a rate: a host, or our own store.

    Without trouble or rate there is no row, so that a visit writes none.
    """

    __tablename__ = "place"
    __table_args__ = (_partial("place_trouble_idx", "down_since", where="trouble > 0"),)

    #: As in `item.host`.
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    #: Failures in a row; since when, times in which nobody tried it left out; and with which words.
    trouble: Mapped[int] = mapped_column(server_default=text("0"))
    down_since: Mapped[float] = mapped_column(server_default=text("0"))
    failed_at: Mapped[float] = mapped_column(server_default=text("0"))
    reason: Mapped[str] = mapped_column(server_default=EMPTY)
    #: Nobody goes there before.
    rest_until: Mapped[float] = mapped_column(server_default=text("0"))
    #: When the next visit is due by the rate.
    next_at: Mapped[float] = mapped_column(server_default=text("0"))


class ExtractionTable(Table):
    """What one content yields under one scan spec."""

    __tablename__ = "extraction"
    __table_args__ = (UniqueConstraint("sha256", "spec_digest"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sha256: Mapped[str]
    spec_digest: Mapped[str]
    #: The item it was first made for.
    item_id: Mapped[int] = mapped_column(BigInteger)
    #: False once its objects have expired or were erased.
    stands: Mapped[bool]
    #: `schemas.records.MediaFacts` as JSON.
    facts: Mapped[dict[str, Any]]
    #: Set where there is nothing to classify.
    outcome: Mapped[Outcome | None]
    reason: Mapped[str] = mapped_column(server_default=EMPTY)
    #: When its objects were named, the last time that they were.
    created_at: Mapped[float]


class ObjectTable(Table):
    """One stored object; it lives as long as the longest reference to its extraction."""

    __tablename__ = "object"
    __table_args__ = (Index("object_extraction_idx", "extraction_id", "position"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    extraction_id: Mapped[int] = mapped_column(ForeignKey("extraction.id"))
    #: `manifest`, `clip` or `evidence`.
    kind: Mapped[str]
    position: Mapped[int]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)


class ReferenceTable(Table):
    """An item that needs the objects of an extraction, and until when: 0 once that is over."""

    __tablename__ = "reference"
    __table_args__ = (
        Index("reference_item_idx", "item_id"),
        *(_partial(f"reference_{term}_idx", term, where=IS_TIMED[term]) for term in IS_TIMED),
    )

    extraction_id: Mapped[int] = mapped_column(ForeignKey("extraction.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    #: Its clips and manifest, and its evidence pictures.
    until: Mapped[float]
    evidence_until: Mapped[float] = mapped_column(server_default=text(str(FOREVER)))


class DoomedTable(Table):
    """A stored object that is to be deleted, or was lately."""

    __tablename__ = "doomed"
    __table_args__ = (
        Index("doomed_deleted_idx", "deleted_at"),
        _partial("doomed_waiting_idx", "takes", "doomed_at", where=IS_THERE),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    #: None: nothing pointed at it.
    extraction_id: Mapped[int | None] = mapped_column(Id)
    kind: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str]
    doomed_at: Mapped[float]
    #: 0: it is still there.
    deleted_at: Mapped[float] = mapped_column(server_default=text("0"))
    #: How often somebody set out to delete it, and when last.
    takes: Mapped[int] = mapped_column(server_default=text("0"))
    taken_at: Mapped[float] = mapped_column(server_default=text("0"))


class ScoreTable(Table):
    """What one model says of one clip: its windows, as `unmask.verdict.WindowScore`."""

    __tablename__ = "score"

    clip_sha256: Mapped[str] = mapped_column(primary_key=True)
    model_digest: Mapped[str] = mapped_column(primary_key=True)
    windows: Mapped[list[Any]]
    created_at: Mapped[float]


class ResultTable(Table):
    """One row per ended item, for people and other systems: docs/reference/results-table.md."""

    __tablename__ = "result"
    __table_args__ = (
        Index("result_review_idx", "campaign_id", "outcome", "probability"),
        Index("result_uri_idx", "uri", postgresql_using="hash"),
        Index("result_sha256_idx", "sha256", "scan_spec"),
        Index("result_finished_idx", "finished_at"),
        Index("result_progress_idx", "campaign_id", "finished_at"),
    )

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    scan_spec: Mapped[str] = mapped_column(primary_key=True)
    model_digest: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    #: Secrets in the address are taken out.
    uri: Mapped[str]
    source: Mapped[str]
    extra: Mapped[dict[str, Any]] = mapped_column(JSON())
    final_uri: Mapped[str | None]
    sha256: Mapped[str | None]
    media_kind: Mapped[str | None]
    duration_s: Mapped[float | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    outcome: Mapped[Outcome]
    reason: Mapped[str]
    probability: Mapped[float | None]
    band: Mapped[str | None]
    threshold_real: Mapped[float | None]
    threshold_fake: Mapped[float | None]
    persons: Mapped[list[Any]]
    faces_seen: Mapped[int | None]
    frames_analysed: Mapped[int | None]
    coverage: Mapped[float | None]
    left_out: Mapped[int | None]
    partial: Mapped[bool | None]
    notes: Mapped[list[Any]]
    evidence: Mapped[list[Any]]
    fetched_part: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    model: Mapped[str]
    inherited_from: Mapped[int | None] = mapped_column(Id)
    attempts: Mapped[int]
    submitted_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime]
    cpu_seconds: Mapped[float]
    gpu_seconds: Mapped[float]
    bytes_fetched: Mapped[int] = mapped_column(BigInteger)
    clips_removed_at: Mapped[datetime | None]
    evidence_removed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class LeaderTable(Table):
    """Who does what only one may do."""

    __tablename__ = "leader"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until: Mapped[float]
