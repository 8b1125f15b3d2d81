"""What a person takes back: cancelled campaigns, ended items that are to be tried again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, tuple_, update

from infra.ledger import retention
from infra.ledger.clock import now
from infra.ledger.moves import Move, record
from infra.ledger.rows import ITEM
from schemas.records import Campaign
from schemas.stages import ENDS, Stage
from schemas.tables import NEVER, ExtractionTable, ItemTable, ResultTable
from unmask.outcomes import Outcome

#: Items that one transaction changes.
BATCH = 2_000

_AFRESH: dict[str, Any] = {
    "attempts": 0,
    "charged": 0,
    "fetch_tries": 0,
    "suspected": 0,
    "offers": 0,
    "outcome": None,
    "not_before": NEVER,
    "offered_until": NEVER,
    "lease_until": NEVER,
    "finished_at": NEVER,
}


def is_finished(db: Connection, campaign: Campaign) -> bool:
    """Every item of it has ended. An empty campaign has not begun."""
    of_it = select(ItemTable.id).where(ItemTable.campaign_id == campaign.id).limit(1)
    still_open = of_it.where(ItemTable.stage.not_in(ENDS))
    return db.scalar(of_it) is not None and db.scalar(still_open) is None


def cancel(db: Connection, campaign: Campaign, after: int) -> tuple[int, int]:
    """Up to a batch of its unfinished items beyond `after`: how many, and the last of them."""
    found = db.execute(
        select(*ITEM)
        .where(ItemTable.campaign_id == campaign.id, ItemTable.id > after)
        .where(ItemTable.stage.not_in(ENDS))
        .order_by(ItemTable.id)
        .limit(BATCH)
        .with_for_update()
    ).all()
    _set(
        db, [row.id for row in found], Stage.CANCELLED, {"lease_until": NEVER, "finished_at": now()}
    )
    retention.settle(db, [row.id for row in found if row.extraction_id], campaign)
    record(db, [Move.of(row, Stage.CANCELLED, "cancelled by a person") for row in found])
    return len(found), found[-1].id if found else after


def requeue(
    db: Connection, campaign: Campaign, outcomes: Sequence[Outcome], after: int
) -> tuple[int, int]:
    """Up to a batch of items that ended so: how many were sent on their way again, and the last."""
    found = db.execute(_ended(campaign, outcomes, after)).all()
    moves: list[Move] = []
    for stage in (Stage.WAITING, Stage.EXTRACTED):
        rows = [row for row in found if _restart(campaign, row) is stage]
        _set(db, [row.id for row in rows], stage, _AFRESH)
        if rows and stage is Stage.EXTRACTED:
            retention.hold(db, [row.id for row in rows])
        moves += [_again(row, stage) for row in rows]
    keys = [(row.id, row.scan_spec, row.model_digest) for row in found]
    key = tuple_(ResultTable.item_id, ResultTable.scan_spec, ResultTable.model_digest)
    db.execute(delete(ResultTable).where(key.in_(keys)))
    record(db, moves)
    return len(found), found[-1].id if found else after


def _ended(campaign: Campaign, outcomes: Sequence[Outcome], after: int) -> Any:
    return (
        select(
            ItemTable.id,
            ItemTable.campaign_id,
            ItemTable.stage,
            ItemTable.fence,
            ItemTable.owner,
            ResultTable.outcome,
            ResultTable.duration_s,
            ResultTable.scan_spec,
            ResultTable.model_digest,
            ExtractionTable.stands,
            ExtractionTable.outcome.label("extraction_outcome"),
        )
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .outerjoin(ExtractionTable, ExtractionTable.id == ItemTable.extraction_id)
        .where(ResultTable.campaign_id == campaign.id, ResultTable.outcome.in_(outcomes))
        .where(ItemTable.id > after)
        .order_by(ItemTable.id)
        .limit(BATCH)
        .with_for_update(of=ItemTable)
    )


def _restart(campaign: Campaign, row: Row[Any]) -> Stage:
    """Where its clips stand and wait for a verdict, they need not be cut again."""
    to_classify = (
        row.stands and row.extraction_outcome is None and not campaign.options.extract_only
    )
    return Stage.EXTRACTED if to_classify and row.stage is not Stage.REJECTED else Stage.WAITING


def _set(db: Connection, items: list[int], stage: Stage, values: dict[str, Any]) -> None:
    if items:
        changes = {"stage": stage, "owner": "", "offered_until": NEVER} | values
        db.execute(update(ItemTable).where(ItemTable.id.in_(items)).values(changes))


def _again(row: Row[Any], stage: Stage) -> Move:
    footage_s = (row.duration_s or 0.0) if row.stage is Stage.DONE else 0.0
    move = Move.of(row, stage, "requeued by a person")
    return replace(move, old_outcome=row.outcome, footage_s=-footage_s)
