"""Items, claims and hand-ins for the tests of the ledger, and a way to let time pass."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert, literal, select, update

from infra.ledger import Ledger
from infra.ledger.clock import moment
from infra.ledger.moves import Amount, add
from schemas.records import (
    CampaignOptions,
    Claim,
    Classified,
    Extracted,
    Extraction,
    Fetched,
    MediaFacts,
    NewItem,
    Rejected,
    ResultRow,
    StoredObject,
    Trust,
)
from schemas.stages import Stage
from schemas.tables import DoomedTable, ItemTable, ResultTable
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import PersonVerdict, Segment, Verdict

MODEL_DIGEST = "m" * 64
LEASE_S = 60.0
VIDEO = MediaFacts(
    kind="video",
    duration_s=10.0,
    width=640,
    height=480,
    faces_seen=30,
    frames_analysed=20,
    coverage=0.5,
    notes=("one",),
)


def options(name: str = "one", **changes: Any) -> CampaignOptions:
    pinned: dict[str, Any] = {"model": "lite", "model_digest": MODEL_DIGEST, "spec": ScanSpec()}
    return CampaignOptions(name=name, **pinned | changes)


def new(number: int, **changes: Any) -> NewItem:
    given: dict[str, Any] = {
        "uri": f"https://cdn.example/{number}.mp4",
        "trust": Trust.REMOTE,
        "source": f"list.csv:{number}",
    }
    return NewItem(**given | changes)


def submitted(ledger: Ledger, count: int, name: str = "one", **pinned: Any) -> list[int]:
    """Their ids, in the order of the list."""
    campaign = ledger.open_campaign(options(name, **pinned))
    ledger.submit(campaign, (new(number) for number in range(count)))
    return [row.item for row in ledger.results(name)]


def refused(
    ledger: Ledger,
    claim: Claim,
    outcome: Outcome = Outcome.NOT_MEDIA,
    reason: str = "it is text",
    **known: Any,
) -> bool:
    """Whether it counts."""
    one = Rejected(claim=claim, outcome=outcome, reason=reason, **known)
    return claim.item in ledger.reject([one])


def claimed(ledger: Ledger, item: int, stage: Stage = Stage.WAITING, **given: Any) -> Claim:
    with_defaults: dict[str, Any] = {"owner": "worker", "lease_s": LEASE_S}
    claim = ledger.claim(item, stage, **with_defaults | given)
    assert claim is not None
    return claim


def digest(content: int) -> str:
    return f"{content:064x}"


def fetched(content: int, uri: str = "https://cdn.example/final.mp4") -> Fetched:
    return Fetched(final_uri=uri, sha256=digest(content), bytes_fetched=1_000)


def stored(kind: str, content: int, number: int = 0) -> StoredObject:
    return StoredObject(key=f"{kind}/{content}/{number}", sha256=digest(number), size=10)


def clips(content: int, count: int = 2) -> Extraction:
    return Extraction(
        sha256=digest(content),
        spec_digest=ScanSpec().digest,
        manifest=stored("manifest", content),
        clips=tuple(stored("clip", content, number) for number in range(count)),
    )


def extracted(content: int, **changes: Any) -> Extracted:
    given: dict[str, Any] = {
        "fetched": fetched(content),
        "media": VIDEO,
        "extraction": clips(content),
        "cpu_seconds": 2.0,
    }
    return Extracted(**given | changes)


def no_face(content: int) -> Extracted:
    nothing = clips(content, count=0)
    reason = "no face in 10 frames"
    return extracted(content, outcome=Outcome.NO_FACE, reason=reason, extraction=nothing)


def judged(probability: float | None = 0.9, outcome: Outcome = Outcome.FAKE) -> Classified:
    segment = Segment(
        start_s=0.0, end_s=1.0, raw=0.8, probability=probability, telling_s=0.5, evidence="e/1"
    )
    person = PersonVerdict(person=0, outcome=outcome, probability=probability, segments=(segment,))
    verdict = Verdict(
        outcome=outcome,
        reason="a reason",
        probability=probability,
        persons=(person,),
        thresholds=(0.3, 0.7),
    )
    return Classified(
        verdict=verdict, evidence=(stored("evidence", 1),), gpu_seconds=0.25, cpu_seconds=0.5
    )


def to_classify(ledger: Ledger, item: int, content: int) -> Claim:
    """The item, cut and claimed for classification."""
    assert ledger.extracted(claimed(ledger, item), extracted(content)) is Stage.EXTRACTED
    return claimed(ledger, item, Stage.EXTRACTED)


def delete_doomed(ledger: Ledger) -> None:
    """As the sweep does it, with a store that does what it is told."""
    ledger.gone(ledger.doomed(1_000))


def since_taken(ledger: Ledger, seconds: float) -> None:
    """What was taken to be deleted, and what was deleted, was so that much sooner."""
    with ledger.engine.begin() as db:
        for column in (DoomedTable.taken_at, DoomedTable.deleted_at):
            sooner = update(DoomedTable).where(column > seconds)
            db.execute(sooner.values({column: column - seconds}))


def row_of(ledger: Ledger, item: int, name: str = "one") -> ResultRow:
    return next(ledger.results(name, after=item - 1, limit=1))


def stages(ledger: Ledger, name: str = "one") -> dict[Stage, int]:
    return dict(ledger.status(name).stages)


def moves(ledger: Ledger, item: int) -> list[Stage]:
    return [move.new for move in ledger.history(item)]


def pass_time(ledger: Ledger, seconds: float) -> None:
    """What is scheduled or leased ends so much sooner."""
    for column in (
        ItemTable.lease_until,
        ItemTable.deadline_at,
        ItemTable.not_before,
        ItemTable.offered_until,
    ):
        with ledger.engine.begin() as db:
            sooner = update(ItemTable).where(column > seconds)
            db.execute(sooner.values({column: column - seconds}))


def end_alike(ledger: Ledger, first: int, count: int, *, ago_s: float = 0.0) -> None:
    """So many items behind an ended one ended as it did, that much sooner; in three statements."""
    item, result = ItemTable.__table__, ResultTable.__table__
    others = item.c.id.between(first + 1, first + count)
    copied = [one for one in result.c if one.name not in ("item_id", "finished_at")]
    with ledger.engine.begin() as db:
        row = db.execute(select(item).where(item.c.id == first)).one()
        at = row.finished_at - ago_s
        same = {name: getattr(row, name) for name in ("stage", "outcome", "fence")}
        db.execute(update(ItemTable).where(others).values(same | {"finished_at": at}))
        values = (item.c.id, literal(moment(at), result.c.finished_at.type), *copied)
        pairs = select(*values).select_from(item).join(result, result.c.item_id == first)
        names = ["item_id", "finished_at", *(one.name for one in copied)]
        db.execute(insert(ResultTable).from_select(names, pairs.where(others)))
        to = (row.campaign_id, row.stage, row.outcome)
        left = (row.campaign_id, Stage.WAITING, "")
        add(db, {left: Amount(items=-count), to: Amount(items=count)})


def everything(ledger: Ledger, name: str = "one") -> Iterator[tuple[int, Stage]]:
    return ((row.item, row.stage) for row in ledger.results(name))
