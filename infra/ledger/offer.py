"""Top up the bounded window: which items are sent to the queues next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    Connection,
    Double,
    Row,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from infra.hosts import host_name, host_number
from infra.ledger import window as sharing
from infra.ledger.clock import now
from infra.ledger.gate import Gate, open_gate
from infra.ledger.policy import Politeness
from infra.ledger.walk import move_on, walk
from infra.redact import label
from schemas.records import Offer, Priority
from schemas.stages import CLAIMS, Stage
from schemas.tables import (
    BY_FRESH,
    BY_OFFERED,
    BY_OPEN,
    IS_FRESH,
    IS_OFFERED,
    IS_OPEN,
    CampaignTable,
    ItemTable,
)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('unmask.offer'))")

#: Beyond what is wanted, so many retries are looked at, and so many hosts.
LOOK = 200
HOPS = 200

PICKED = (
    ItemTable.id,
    ItemTable.uri,
    ItemTable.host,
    ItemTable.hop,
    ItemTable.fence,
    ItemTable.attempts,
    ItemTable.suspected,
    ItemTable.offers,
    ItemTable.campaign_id,
)
AGAIN = and_(ItemTable.not_before > 0, ItemTable.not_before <= now())
_FRESH: Any = (
    select(*PICKED)
    .with_hint(ItemTable, *BY_FRESH)
    .where(ItemTable.campaign_id == bindparam("campaign"), text(IS_FRESH))
    .where(ItemTable.host == bindparam("from"), ItemTable.id > bindparam("after"))
    .order_by(ItemTable.id)
    .with_for_update(skip_locked=True)
)
_FIRST: Any = (
    select(*PICKED)
    .where(ItemTable.id.in_(bindparam("ids", expanding=True)), text(IS_FRESH))
    .with_for_update(skip_locked=True)
)
_LATER = (
    update(ItemTable)
    .where(ItemTable.id == bindparam("row"))
    .values(not_before=now() + bindparam("wait_s", type_=Double()))
)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A campaign with work that is due."""

    campaign: int
    priority: Priority


def offer(db: Connection, polite: Politeness, *, window: int, lease_s: float) -> list[Offer]:
    if db.dialect.name == "postgresql":
        db.execute(_LOCK)
    taken = {stage: outstanding(db, stage) for stage in CLAIMS}
    resting = sharing.crowded(window, taken[Stage.EXTRACTED])
    gate = open_gate(db, polite)
    window = min(window, gate.window())
    offers: list[Offer] = []
    for stage in CLAIMS:
        turns = _turns(db, stage, resting if stage is Stage.WAITING else frozenset())
        offers += _share_out(db, gate, stage, window, before=taken[stage], turns=turns)
    _mark(db, offers, lease_s)
    gate.keep({host_number(one.uri): host_name(one.uri) for one in offers})
    return offers


def _share_out(
    db: Connection,
    gate: Gate,
    stage: Stage,
    window: int,
    *,
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
        picked = _pick(db, gate, stage, level_turns, wanted)
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


def _pick(
    db: Connection, gate: Gate, stage: Stage, campaigns: list[int], wanted: int
) -> list[Row[Any]]:
    """An equal share for each campaign, and what is left to those who can use it."""
    due = partial(_to_fetch, db, gate) if stage is Stage.WAITING else partial(_to_classify, db)
    picked: list[Row[Any]] = []
    for number, campaign in enumerate(campaigns):
        left = wanted - len(picked)
        share = -(-left // (len(campaigns) - number))
        picked += due(campaign, share, [])
    for campaign in campaigns:
        if len(picked) < wanted:
            picked += due(campaign, wanted - len(picked), [row.id for row in picked])
    return picked


def _to_classify(db: Connection, campaign: int, limit: int, seen: list[int]) -> list[Row[Any]]:
    """First what had its turn and comes again, then what never had; both walk one index."""
    rows: list[Row[Any]] = []
    for condition in (AGAIN, ItemTable.not_before == 0):
        if len(rows) < limit:
            query = _open(campaign, Stage.EXTRACTED, seen).where(condition)
            rows += db.execute(query.limit(limit - len(rows))).all()
    return rows


def _to_fetch(
    db: Connection, gate: Gate, campaign: int, limit: int, seen: list[int]
) -> list[Row[Any]]:
    """The same, host by host, and only from hosts that may be visited now."""
    if limit < 1:
        return []
    rows = _again(db, gate, campaign, limit, seen)
    if len(rows) < limit:
        rows += _fresh(db, gate, campaign, limit - len(rows), seen)
    return rows


def _again(
    db: Connection, gate: Gate, campaign: int, limit: int, seen: list[int]
) -> list[Row[Any]]:
    """What a closed host keeps back makes way for others."""
    query = _open(campaign, Stage.WAITING, seen).where(AGAIN).limit(limit + LOOK)
    found = db.execute(query).all()
    gate.know(host for row in found for host in _hosts(row))
    rows: list[Row[Any]] = []
    closed: list[Row[Any]] = []
    for row in found:
        if not all(map(gate.room, _hosts(row))):
            closed.append(row)
        elif len(rows) < limit:
            rows.append(row)
            for host in _hosts(row):
                gate.take(host, 1)
    if closed:
        later = [{"row": row.id, "wait_s": max(map(gate.wait_s, _hosts(row)))} for row in closed]
        db.execute(_LATER, later)
    return rows


def _hosts(row: Row[Any]) -> tuple[int, int]:
    """Where it goes, and what lies on its way there, as a try before has shown."""
    return row.host, row.hop


def _fresh(
    db: Connection, gate: Gate, campaign: int, limit: int, seen: list[int]
) -> list[Row[Any]]:
    heads = walk(db, campaign, limit + HOPS)
    gate.know(heads)
    room = {host: gate.room(host) for host in heads}
    rows = _first_of_each(db, gate, heads, sharing.shares(limit, room), seen)
    room |= {row.host: gate.room(row.host) for row in rows}
    last = heads.copy()
    while wanted := sharing.shares(limit - len(rows), room):
        for host, count in wanted.items():
            picked = _of_host(db, campaign, host, count, after=last[host], seen=seen)
            gate.take(host, len(picked))
            rows += picked
            # One that gave less than it was asked for has no more.
            room[host] = gate.room(host) if len(picked) == count else 0
            last[host] = picked[-1].id if picked else last[host]
    if len(heads) > 1:
        move_on(db, campaign, rows[-1].host if rows else next(reversed(heads)))
    return rows


def _first_of_each(
    db: Connection, gate: Gate, heads: Mapping[int, int], wanted: Iterable[int], seen: list[int]
) -> list[Row[Any]]:
    """One query for all hosts that get anything at all."""
    ids = [heads[host] for host in wanted if heads[host] not in seen]
    found = db.execute(_FIRST, {"ids": ids}).all() if ids else []
    place = {host: number for number, host in enumerate(heads)}
    rows: list[Row[Any]] = sorted(found, key=lambda row: place[row.host])
    for row in rows:
        gate.take(row.host, 1)
    return rows


def _of_host(
    db: Connection, campaign: int, host: int, count: int, *, after: int, seen: list[int]
) -> Sequence[Row[Any]]:
    query = _FRESH.where(ItemTable.id.not_in(seen)) if seen else _FRESH
    given = {"campaign": campaign, "from": host, "after": after}
    found: Sequence[Row[Any]] = db.execute(query.limit(count), given).all()
    return found


def _open(campaign: int, stage: Stage, seen: list[int]) -> Any:
    query = (
        select(*PICKED)
        .with_hint(ItemTable, *BY_OPEN)
        .where(ItemTable.campaign_id == campaign, ItemTable.stage == stage, text(IS_OPEN))
        .order_by(ItemTable.not_before, ItemTable.id)
        .with_for_update(skip_locked=True)
    )
    return query.where(ItemTable.id.not_in(seen)) if seen else query


def _offer(row: Row[Any], stage: Stage, level: Priority, saturated: Priority | None) -> Offer:
    return Offer(
        item=row.id,
        stage=stage,
        priority=sharing.lane(level, row.offers, saturated),
        label=label(row.uri),
        uri=row.uri,
        attempt=row.attempts + row.suspected + 1,
        first=row.fence == 0,
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
