"""What a person takes back: cancelled campaigns, ended items that are to be tried again."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, text, tuple_, update

from infra.hosts import NO_HOST
from infra.ledger import campaigns, retention
from infra.ledger.clock import moment, now
from infra.ledger.moves import Move, record
from infra.ledger.rows import ITEM
from schemas.records import Campaign
from schemas.stages import CLAIMS, ENDS, RETURNS, Stage
from schemas.tables import (
    BY_HELD,
    BY_OPEN,
    BY_REVIEW,
    IS_HELD,
    IS_OPEN,
    NEVER,
    ExtractionTable,
    ItemTable,
    ResultTable,
    TallyTable,
)
from unmask.outcomes import Outcome

#: Items that one transaction changes.
BATCH = 2_000

_AFRESH: dict[str, Any] = {
    "attempts": 0,
    "charged": 0,
    "fetch_tries": 0,
    "hop": NO_HOST,
    "waits": 0,
    "suspected": 0,
    "offers": 0,
    "outcome": None,
    "not_before": NEVER,
    "offered_until": NEVER,
    "lease_until": NEVER,
    "finished_at": NEVER,
}


#: When an open item is due, and its number: the order in which open items are found.
Place = tuple[float, int]
#: Before the first.
FIRST: Place = (-1.0, 0)
#: The stages that a cancel takes items from, in turn. Who was about to claim an item, or to give it
#: back, may move it past the look at its stage; so what is open is looked at twice.
UNFINISHED = (*CLAIMS, *RETURNS, *CLAIMS)


def is_finished(db: Connection, campaign: Campaign) -> bool:
    """Every item of it has ended, as the counts say. An empty campaign has not begun."""
    items = select(TallyTable.stage, func.sum(TallyTable.items).label("items"))
    mine = items.where(TallyTable.campaign_id == campaign.id).group_by(TallyTable.stage)
    left = {row.stage for row in db.execute(mine) if row.items}
    return bool(left) and left <= ENDS


def cancel(db: Connection, campaign: Campaign, stage: Stage, after: Place) -> tuple[int, Place]:
    """Up to a batch of its items in this stage behind `after`: how many, and the last of them."""
    seen = db.execute(_unfinished(campaign, stage, after)).all()
    if not seen:
        return 0, after
    wanted = ItemTable.id.in_([row.id for row in seen])
    still = select(*ITEM).where(wanted, ItemTable.stage == stage)
    found = db.execute(still.order_by(ItemTable.id).with_for_update()).all()
    _set(
        db, [row.id for row in found], Stage.CANCELLED, {"lease_until": NEVER, "finished_at": now()}
    )
    retention.settle(db, [row.id for row in found if row.extraction_id], campaign)
    record(db, [Move.of(row, Stage.CANCELLED, "cancelled by a person") for row in found])
    return len(found), (seen[-1].not_before, seen[-1].id)


def _unfinished(campaign: Campaign, stage: Stage, after: Place) -> Any:
    """Found without a look at what has ended. Held items are as few as there are workers."""
    mine = select(ItemTable.id, ItemTable.not_before).limit(BATCH)
    mine = mine.where(ItemTable.campaign_id == campaign.id, ItemTable.stage == stage)
    if stage in RETURNS:
        held = mine.with_hint(ItemTable, *BY_HELD).where(text(IS_HELD))
        return held.order_by(ItemTable.lease_until)
    place = tuple_(ItemTable.not_before, ItemTable.id)
    open_ = mine.with_hint(ItemTable, *BY_OPEN).where(text(IS_OPEN), place > after)
    return open_.order_by(ItemTable.not_before, ItemTable.id)


def begin(db: Connection) -> datetime:
    """A requeue takes what had ended by then: what fails again meanwhile stays."""
    return moment(db.execute(select(now())).scalar_one())


def requeue(db: Connection, campaign: Campaign, outcome: Outcome, begun: datetime) -> int:
    """Up to a batch of items that ended so: how many were sent on their way again.

    Their results go, so that the next batch finds the next ones where these stood. Who cancels the
    campaign between two batches has the last word.
    """
    campaigns.alone(db, campaign.id)
    campaigns.refuse_cancelled(campaigns.campaign(db, campaign.options.name))
    seen = db.scalars(_results(campaign, outcome, begun)).all()
    found = db.execute(_ended(outcome, seen)).all() if seen else []
    cut = _cut(db, {row.extraction_id for row in found if row.extraction_id})
    moves: list[Move] = []
    for stage in (Stage.WAITING, Stage.EXTRACTED):
        rows = [row for row in found if _restart(campaign, row, cut) is stage]
        _set(db, [row.id for row in rows], stage, _AFRESH)
        if rows and stage is Stage.EXTRACTED:
            retention.hold(db, [row.id for row in rows])
        moves += [_again(row, stage) for row in rows]
    # By number alone: for a list of whole keys SQLite would read the table from end to end.
    db.execute(delete(ResultTable).where(ResultTable.item_id.in_([row.id for row in found])))
    record(db, moves)
    return len(found)


def _results(campaign: Campaign, outcome: Outcome, begun: datetime) -> Any:
    """In the order of their index, which is no order of ours: it saves sorting all there are."""
    return (
        select(ResultTable.item_id)
        .with_hint(ResultTable, *BY_REVIEW)
        .where(ResultTable.campaign_id == campaign.id, ResultTable.outcome == outcome)
        .where(ResultTable.finished_at <= begun)
        .order_by(ResultTable.probability)
        .limit(BATCH)
    )


def _ended(outcome: Outcome, items: Collection[int]) -> Any:
    """Those of them that still are what they were, locked in one order."""
    return (
        select(
            ItemTable.id,
            ItemTable.campaign_id,
            ItemTable.stage,
            ItemTable.fence,
            ItemTable.owner,
            ItemTable.extraction_id,
            ResultTable.outcome,
            ResultTable.duration_s,
        )
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .where(ItemTable.id.in_(items), ItemTable.outcome == outcome)
        .order_by(ItemTable.id)
        .with_for_update(of=ItemTable)
    )


def _cut(db: Connection, extractions: Collection[int]) -> set[int]:
    """Those whose clips stand and wait for a verdict; none of them goes meanwhile."""
    retention.lock(db, extractions)
    mine = select(ExtractionTable.id).where(ExtractionTable.id.in_(extractions))
    return set(db.scalars(mine.where(ExtractionTable.stands, ExtractionTable.outcome.is_(None))))


def _restart(campaign: Campaign, row: Row[Any], cut: Collection[int]) -> Stage:
    """Where its clips are there, they need not be cut again."""
    to_classify = row.extraction_id in cut and not campaign.options.extract_only
    return Stage.EXTRACTED if to_classify and row.stage is not Stage.REJECTED else Stage.WAITING


def _set(db: Connection, items: list[int], stage: Stage, values: dict[str, Any]) -> None:
    if items:
        changes = {"stage": stage, "owner": "", "offered_until": NEVER} | values
        db.execute(update(ItemTable).where(ItemTable.id.in_(items)).values(changes))


def _again(row: Row[Any], stage: Stage) -> Move:
    footage_s = (row.duration_s or 0.0) if row.stage is Stage.DONE else 0.0
    move = Move.of(row, stage, "requeued by a person")
    return replace(move, old_outcome=row.outcome, footage_s=-footage_s)
