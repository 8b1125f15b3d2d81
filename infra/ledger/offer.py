"""Top up the bounded window: which items are sent to the queues next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, text, update

from infra.ledger import window as sharing
from infra.ledger.clock import now
from infra.redact import label
from schemas.records import Offer, Priority
from schemas.stages import CLAIMS, Stage
from schemas.tables import BY_OFFERED, BY_OPEN, IS_OFFERED, IS_OPEN, CampaignTable, ItemTable

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('unmask.offer'))")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A campaign with work that is due."""

    campaign: int
    priority: Priority


def offer(db: Connection, *, window: int, lease_s: float) -> list[Offer]:
    if db.dialect.name == "postgresql":
        db.execute(_LOCK)
    taken = {stage: outstanding(db, stage) for stage in CLAIMS}
    resting = sharing.crowded(window, taken[Stage.EXTRACTED])
    offers: list[Offer] = []
    for stage in CLAIMS:
        turns = _turns(db, stage, resting if stage is Stage.WAITING else frozenset())
        offers += _share_out(db, stage, window, taken[stage], turns)
    _mark(db, offers, lease_s)
    return offers


def _share_out(
    db: Connection,
    stage: Stage,
    window: int,
    before: Mapping[Priority, int],
    turns: Sequence[Turn],
) -> list[Offer]:
    taken = dict(before)
    due = frozenset(turn.priority for turn in turns)
    offers: list[Offer] = []
    saturated: Priority | None = None
    for level in sorted(due):
        wanted = sharing.quotas(window, taken, due)[level]
        level_turns = [turn.campaign for turn in turns if turn.priority == level]
        picked = _pick(db, stage, level_turns, wanted)
        offers += [_offer(row, stage, level, saturated) for row in picked]
        taken[level] = taken.get(level, 0) + len(picked)
        if saturated is None and len(picked) >= wanted:
            saturated = level
    return offers


def outstanding(db: Connection, stage: Stage) -> dict[Priority, int]:
    """Places of the window that are taken; reads no more rows than the window has."""
    counted = (
        select(CampaignTable.priority, func.count())
        .join(ItemTable, ItemTable.campaign_id == CampaignTable.id)
        .with_hint(ItemTable, *BY_OFFERED)
        .where(text(IS_OFFERED), ItemTable.stage == stage, ItemTable.offered_until > now())
        .where(CampaignTable.state == "running")
        .group_by(CampaignTable.priority)
    )
    return {Priority(priority): count for priority, count in db.execute(counted)}


def _turns(db: Connection, stage: Stage, resting: frozenset[Priority]) -> list[Turn]:
    """Those who waited longest for their turn come first."""
    first_due = (
        select(ItemTable.id)
        .with_hint(ItemTable, *BY_OPEN)
        .where(ItemTable.campaign_id == CampaignTable.id, ItemTable.stage == stage)
        .where(text(IS_OPEN), ItemTable.not_before <= now())
        .order_by(ItemTable.not_before, ItemTable.id)
        .limit(1)
        .scalar_subquery()
    )
    found = db.execute(
        select(CampaignTable.id, CampaignTable.priority)
        .where(CampaignTable.state == "running", first_due.is_not(None))
        .where(or_(CampaignTable.priority.not_in(resting), CampaignTable.extract_only))
        .order_by(CampaignTable.served_at, CampaignTable.id)
    )
    return [Turn(campaign=row.id, priority=Priority(row.priority)) for row in found]


def _pick(db: Connection, stage: Stage, campaigns: list[int], wanted: int) -> list[Row[Any]]:
    """An equal share for each campaign, and what is left to those who can use it."""
    picked: list[Row[Any]] = []
    for number, campaign in enumerate(campaigns):
        left = wanted - len(picked)
        share = -(-left // (len(campaigns) - number))
        picked += _due(db, stage, campaign, share, [])
    for campaign in campaigns:
        if len(picked) < wanted:
            picked += _due(db, stage, campaign, wanted - len(picked), [row.id for row in picked])
    return picked


def _due(
    db: Connection, stage: Stage, campaign: int, limit: int, seen: list[int]
) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for query in _queries(stage, campaign):
        if len(rows) < limit:
            skipping = query.where(ItemTable.id.not_in(seen)) if seen else query
            rows += db.execute(skipping.limit(limit - len(rows))).all()
    return rows


def _queries(stage: Stage, campaign: int) -> Iterator[Any]:
    """First what had its turn and comes again, then what never had; both walk one index."""
    again = ItemTable.not_before > 0, ItemTable.not_before <= now()
    fresh = (ItemTable.not_before == 0,)
    for conditions in (again, fresh):
        yield (
            select(
                ItemTable.id,
                ItemTable.uri,
                ItemTable.attempts,
                ItemTable.offers,
                ItemTable.campaign_id,
            )
            .with_hint(ItemTable, *BY_OPEN)
            .where(ItemTable.campaign_id == campaign, ItemTable.stage == stage, text(IS_OPEN))
            .where(*conditions)
            .order_by(ItemTable.not_before, ItemTable.id)
            .with_for_update(skip_locked=True)
        )


def _offer(row: Row[Any], stage: Stage, level: Priority, saturated: Priority | None) -> Offer:
    return Offer(
        item=row.id,
        stage=stage,
        priority=sharing.lane(level, row.offers, saturated),
        label=label(row.uri),
        attempt=row.attempts + 1,
    )


def _mark(db: Connection, offers: list[Offer], lease_s: float) -> None:
    if not offers:
        return
    items = [one.item for one in offers]
    until = now() + lease_s
    db.execute(
        update(ItemTable)
        .where(ItemTable.id.in_(items))
        .values(offered_until=until, not_before=until, offers=ItemTable.offers + 1)
    )
    served = select(ItemTable.campaign_id).where(ItemTable.id.in_(items))
    db.execute(update(CampaignTable).where(CampaignTable.id.in_(served)).values(served_at=now()))


def extend(db: Connection, stage: Stage, *, lease_s: float) -> int:
    """Offers that still lie in their queue stay made; else each would be sent again and again."""
    until = now() + lease_s
    extended = db.execute(
        update(ItemTable)
        .where(text(IS_OFFERED), ItemTable.stage == stage, ItemTable.offered_until > now())
        .values(offered_until=until, not_before=until)
    )
    return int(extended.rowcount)
