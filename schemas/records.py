"""Values that pass between the ledger and those who work with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from schemas.stages import Stage
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import Verdict, WindowScore

#: A thousand years: who wants to keep something longer says nothing.
FOR_EVER_S = 3.2e10


class Priority(IntEnum):
    """Lower runs first, as on Redis."""

    LIVE = 0
    NORMAL = 3
    BULK = 6


class Trust(StrEnum):
    """Where a line came from decides what it may name."""

    #: The command line of this machine: paths and `file:` are allowed.
    LOCAL = "local"
    #: Anything else: only what the guard lets through, and configured buckets.
    REMOTE = "remote"


@dataclass(frozen=True, kw_only=True)
class CampaignOptions:
    """What a campaign pins; frozen once its first item is in."""

    name: str
    #: Bundle name, its digest, and the spec its items are cut under.
    model: str
    model_digest: str
    spec: ScanSpec
    priority: Priority = Priority.NORMAL
    extract_only: bool = False
    #: For how long clips and evidence are kept after an item has ended; None: for ever.
    keep_clips_s: float | None = None
    keep_evidence_s: float | None = None

    def __post_init__(self) -> None:
        for kept in (self.keep_clips_s, self.keep_evidence_s):
            if kept is not None and not 0 <= kept < FOR_EVER_S:
                raise ValueError(f"not a time to keep something for: {kept} s")


@dataclass(frozen=True, kw_only=True)
class Campaign:
    id: int
    options: CampaignOptions
    state: str  # running | paused | cancelled
    reason: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """One line of a source."""

    uri: str
    trust: Trust
    #: What tells two versions of a local file apart: size and time. Empty for the rest.
    stamp: str = ""
    #: Where the item stood in its source, for people: `list.csv:17`.
    source: str = ""
    #: Columns of the input table that are carried through to the result row.
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (self.uri, self.stamp, self.source):
            if "\0" in text or not _is_text(text):
                raise ValueError(f"address {self.uri!r} ({self.source!r}) holds what is no text")
        if not self.uri:
            raise ValueError(f"an item needs an address ({self.source!r})")


def _is_text(text: str) -> bool:
    """Without halves of surrogate pairs, which stand for bytes of a file name that are no UTF-8."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """How many were new, and how many the campaign already had."""

    new: int
    known: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An item that was put into the window and must now be sent to a queue."""

    item: int
    stage: Stage  # WAITING → extract queue, EXTRACTED → classify queue
    priority: Priority
    #: Short, without secrets: for people at Flower.
    label: str
    attempt: int
    uri: str = ""
    #: No worker ever took it.
    first: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    key: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What a content yields under a scan spec; the manifest says the rest."""

    sha256: str
    spec_digest: str
    manifest: StoredObject
    clips: tuple[StoredObject, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to work on an item until the lease ends; every write carries `fence`."""

    item: int
    fence: int
    #: Where the item is now: EXTRACTING or CLASSIFYING.
    stage: Stage
    owner: str
    #: Which attempt this is, the first being 1.
    attempt: int
    uri: str
    trust: Trust
    stamp: str
    campaign: Campaign
    #: Set when the item is claimed for classification.
    extraction: Extraction | None = None


@dataclass(frozen=True, kw_only=True)
class Led:
    """Whether a fetch may follow its host's redirect to another host now."""

    #: Not before; 0: at once.
    wait_s: float = 0.0
    #: It has waited so often that it is not waited for any longer.
    spent: bool = False


@dataclass(frozen=True, kw_only=True)
class FetchedPart:
    """Which bytes of a file came, where not all were needed."""

    size: int
    #: The server's own word for this version of the file: an ETag or a date.
    validator: str
    #: First and last byte of each range, as HTTP counts them.
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """How the bytes came."""

    final_uri: str
    #: Of the whole content. Where only a part came: an identity that no other item has.
    sha256: str
    #: Over the wire, whatever became of them.
    bytes_fetched: int
    part: FetchedPart | None = None


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """Columns of the result row that the extraction knows."""

    kind: str | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    faces_seen: int = 0
    frames_analysed: int = 0
    #: None where nobody knows how long it is, and so a share of what.
    coverage: float | None = 0.0
    left_out: int = 0
    partial: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What extraction hands to the ledger. With an `outcome` there is nothing to classify."""

    fetched: Fetched
    media: MediaFacts
    extraction: Extraction
    cpu_seconds: float
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What a worker says of an item that will never have an answer."""

    claim: Claim
    outcome: Outcome
    reason: str
    fetched: Fetched | None = None
    cpu_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the ledger remembers of a content under a scan spec."""

    #: Its clips still stand; None where they don't or never did.
    extraction: Extraction | None = None
    media: MediaFacts | None = None
    #: Set where its extraction was the end of it, such as `no_face`.
    outcome: Outcome | None = None
    reason: str = ""
    #: An item of the same content that already has the model's verdict.
    result_item: int | None = None


@dataclass(frozen=True, kw_only=True)
class Swept:
    """Items whose worker fell silent: given back, or buried at the last attempt."""

    returned: int = 0
    buried: int = 0


class Answer(StrEnum):
    """How a visit to a host went."""

    #: It answered, if only to say that there is nothing.
    ANSWERED = "answered"
    #: It asked for patience, broke off or was too slow.
    BUSY = "busy"
    #: Nobody answered: the resolver, the way there or the host itself is silent.
    SILENT = "silent"


class Happening(StrEnum):
    """What is counted for the brake."""

    ANSWERED = "answered"
    BUSY = "busy"
    SILENT = "silent"
    #: A try failed by an error of our own.
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Happened:
    """How often, and the words of the last time."""

    times: int = 0
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Resting:
    """A place that nobody goes to for a while."""

    name: str
    reason: str
    #: Seconds that are left; 0 where one item at a time tries it.
    for_s: float
    #: Failures in a row.
    trouble: int


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One entry of an item's history. The first has no `old`."""

    at: datetime
    old: Stage | None
    new: Stage
    fence: int
    owner: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A move as the exporter counts it; `at` is in seconds of database time."""

    item: int
    at: float
    old: Stage
    new: Stage
    #: Its worker had fallen silent, or ran past its deadline.
    lost: bool
    #: An attempt was counted.
    charged: bool


@dataclass(frozen=True, kw_only=True)
class Tallied:
    """Running counts of a campaign at one stage with one outcome (empty: none yet)."""

    campaign: str
    stage: Stage
    outcome: str
    items: int
    footage_s: float
    cpu_seconds: float
    gpu_seconds: float
    bytes_fetched: int
    #: Ever; these two never fall.
    ended: int
    answered_s: float


@dataclass(frozen=True, kw_only=True)
class Classified:
    """What classification hands to the ledger."""

    verdict: Verdict
    evidence: tuple[StoredObject, ...]
    gpu_seconds: float
    cpu_seconds: float
    #: By the hash of the clip: what the model said of its windows.
    scores: Mapping[str, tuple[WindowScore, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure takes away; the objects are still to be deleted from the store."""

    item: int
    person: int | None = None
    #: Somebody asked for the same before.
    again: bool = False
    sha256: str | None = None
    objects: tuple[str, ...] = ()
    scores: int = 0
    #: What the ledger said of the item and says no more: address, source, columns, result, log.
    words: tuple[str, ...] = ()
    #: Entries of its history whose words were blanked.
    notes: int = 0
    #: Other items of the same content, whose results were marked.
    heirs: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Doomed objects that somebody set out to delete, and when, in database time."""

    keys: tuple[str, ...]
    at: float


@dataclass(frozen=True, kw_only=True)
class RescanPart:
    """Items of a campaign that a rescan treats alike, and what they cost the time before."""

    items: int = 0
    bytes_fetched: int = 0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    footage_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RescanPlan:
    #: Their stored clips fit the new scan spec: they are classified.
    clips: RescanPart
    #: The same, and there is nothing to classify: no face, too small, too short.
    answered: RescanPart
    #: Their clips are gone or of another scan spec: they are fetched and cut again.
    fetch: RescanPart
    #: Something of them was erased on request: they are left alone.
    erased: int
    #: No answer was given the time before: unfinished, rejected, dead or cancelled.
    left_out: int
    #: What is stored of the clips that are read.
    clip_bytes: int
    #: A few addresses that are fetched again.
    fetched_again: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Changed:
    """An item whose outcome is another in a later campaign."""

    before: int
    item: int
    uri: str
    outcome_before: Outcome
    probability_before: float | None
    outcome: Outcome
    probability: float | None


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One row per item, as reports, exports and the review queue read it."""

    campaign: str
    item: int
    #: Secrets in the address are already taken out.
    uri: str
    source: str
    extra: Mapping[str, Any]
    stage: Stage
    #: None while the item is on its way.
    outcome: Outcome | None
    reason: str
    final_uri: str | None = None
    sha256: str | None = None
    media_kind: str | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    probability: float | None = None
    #: `low`, `unsure` or `high`: where the probability lies between the thresholds.
    band: str | None = None
    threshold_real: float | None = None
    threshold_fake: float | None = None
    #: `[{person, outcome, probability, segments: [{start_s, end_s, raw, probability,
    #: telling_s, evidence, heat, frame_scores}]}]`, people counted from 1
    persons: list[dict[str, Any]] = field(default_factory=list)
    faces_seen: int | None = None
    frames_analysed: int | None = None
    coverage: float | None = None
    left_out: int | None = None
    partial: bool | None = None
    notes: list[str] = field(default_factory=list)
    #: Object keys of evidence pictures.
    evidence: list[str] = field(default_factory=list)
    #: `{identity, size, validator, ranges}` where only the beginning of the file was fetched.
    fetched_part: dict[str, Any] | None = None
    model: str | None = None
    model_digest: str | None = None
    scan_spec: str | None = None
    #: What the campaign asked for: sequence length, which moments, every how many frames.
    frames: int | None = None
    moments: str | None = None
    stride: int | None = None
    priority: str | None = None
    extract_only: bool | None = None
    #: The item whose extraction or verdict was reused.
    inherited_from: int | None = None
    attempts: int = 0
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    bytes_fetched: int = 0
    #: When its clips and its evidence were deleted, by their term or on request.
    clips_removed_at: datetime | None = None
    evidence_removed_at: datetime | None = None
    #: When something of it was erased on request.
    erased_at: datetime | None = None
    #: Of a file that was submitted again after a change: the item of the later version.
    superseded_by: int | None = None
    #: The end of the log of its last failure; only where it is dead.
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An item that went wrong lately, for the live view."""

    item: int
    uri: str
    at: datetime
    outcome: Outcome | None
    #: The reason or the last error, one line.
    reason: str
    #: The end of the log of a dead item.
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class CampaignStatus:
    """What `producer status` shows; read from the ledger in one go."""

    campaign: Campaign
    stages: Mapping[Stage, int]
    outcomes: Mapping[Outcome, int]
    #: Seconds of footage (videos) answered so far, and what they cost.
    footage_s: float
    cpu_seconds: float
    gpu_seconds: float
    bytes_fetched: int
    first_submitted: datetime | None
    first_started: datetime | None
    last_finished: datetime | None
    #: Items finished in the last minute.
    finished_last_minute: int
    #: Seconds the oldest waiting item has waited, by priority.
    oldest_waiting_s: Mapping[Priority, float]
    failures: tuple[Failure, ...]
