"""The right to work on an item: taken, kept, given back."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Case,
    Connection,
    Double,
    Row,
    SmallInteger,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    update,
)

from infra.hosts import NO_HOST, host_number
from infra.ledger import rows
from infra.ledger.clock import now
from infra.ledger.moves import Move, record
from infra.ledger.rows import ITEM
from schemas.records import Campaign, Claim, Extraction
from schemas.stages import CLAIMS, RETURNS, Stage
from schemas.tables import BY_HELD, IS_HELD, NEVER, CampaignTable, ItemTable


def _first(column: Any) -> Case[float]:
    return case((column > 0, column), else_=now())


_ITEMS: BindParameter[int] = bindparam("items", type_=BigInteger(), expanding=True)

_FREE = (
    select(ItemTable.id)
    .join(CampaignTable, CampaignTable.id == ItemTable.campaign_id)
    .where(ItemTable.id.in_(_ITEMS), ItemTable.stage == bindparam("open"))
    .where(CampaignTable.state == "running")
    .where(or_(ItemTable.not_before <= now(), ItemTable.offered_until > now()))
    .order_by(ItemTable.id)
    .with_for_update(of=ItemTable)
)
#: Campaigns that a connection has met.
_CAMPAIGNS = "campaigns"
#: From its second attempt on an item runs alone.
_FIRST_TIME = ITEM.attempts + ITEM.suspected == 0


def _claiming(free: Any) -> Any:
    return (
        update(ItemTable)
        .where(ITEM.id.in_(free))
        .values(
            stage=bindparam("held"),
            fence=ITEM.fence + 1,
            owner=bindparam("by"),
            lease_until=now() + bindparam("lease_s", type_=Double()),
            deadline_at=now() + bindparam("deadline_s", type_=Double()),
            offered_until=NEVER,
            not_before=NEVER,
            offers=0,
            started_at=_first(ITEM.started_at),
            claimed_at=now(),
            visiting=case((ITEM.host > 0, bindparam("visits", type_=SmallInteger())), else_=0),
            company=bindparam("together", type_=SmallInteger()),
        )
        .returning(*ITEM)
    )


_CLAIM = {False: _claiming(_FREE), True: _claiming(_FREE.where(_FIRST_TIME))}
_HELD = select(*ITEM).where(ITEM.id.in_(_ITEMS)).order_by(ITEM.id).with_for_update()
_GIVE_BACK = (
    update(ItemTable)
    .where(ITEM.id == bindparam("row"))
    .values(not_before=now() + bindparam("after_s", type_=Double()))
)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who takes it, for how long, and whether that worker may hold others beside it."""

    owner: str
    lease_s: float
    deadline_s: float
    company: bool


def claim(db: Connection, items: Sequence[int], stage: Stage, terms: Terms) -> list[Claim]:
    """What of it is free: no duplicate, not cancelled, paused or waiting for its next try.

    In company only what was never lost before: the rest is claimed one by one.
    """
    given = {
        "items": list(items),
        "open": stage,
        "held": CLAIMS[stage],
        "by": terms.owner,
        "lease_s": min(terms.lease_s, terms.deadline_s),
        "deadline_s": terms.deadline_s,
        "visits": int(stage is Stage.WAITING),
        "together": int(terms.company),
    }
    taken = db.execute(_CLAIM[terms.company], given).all()
    record(db, [_move(row, stage) for row in taken])
    return _claims(db, sorted(taken, key=lambda row: int(row.id)))


def run_alone(db: Connection, items: Collection[int], stage: Stage) -> set[int]:
    lost = select(ITEM.id).where(ITEM.id.in_(list(items)), ITEM.stage == stage, ~_FIRST_TIME)
    return set(db.scalars(lost))


def _move(row: Row[Any], stage: Stage) -> Move:
    return Move(
        item=row.id,
        campaign=row.campaign_id,
        old=stage,
        new=row.stage,
        fence=row.fence,
        owner=row.owner,
        note=f"attempt {_attempt(row)}" if _attempt(row) > 1 else "",
    )


def _attempt(row: Row[Any]) -> int:
    return int(row.attempts) + int(row.suspected) + 1


def _claims(db: Connection, taken: Sequence[Row[Any]]) -> list[Claim]:
    if not taken:
        return []
    campaigns = _started(db, {row.campaign_id for row in taken})
    extractions = rows.extractions(db, (row.extraction_id for row in taken if row.extraction_id))
    return [
        _claim(row, campaigns[row.campaign_id], extractions.get(row.extraction_id)) for row in taken
    ]


def _started(db: Connection, ids: set[int]) -> dict[int, Campaign]:
    """What a campaign pins never changes: once it has started, a connection reads it once."""
    known: dict[int, Campaign] = db.info.setdefault(_CAMPAIGNS, {})
    if unknown := ids - known.keys():
        found = db.execute(rows.BY_ID, {"ids": list(unknown)}).all()
        if fresh := [row.id for row in found if row.first_started_at <= NEVER]:
            starting = update(CampaignTable).where(CampaignTable.id.in_(fresh))
            db.execute(starting.values(first_started_at=_first(CampaignTable.first_started_at)))
        read = {row.id: rows.campaign(row) for row in found}
        known |= {one: campaign for one, campaign in read.items() if one not in fresh}
        return known | read
    return known


def _claim(row: Row[Any], campaign: Campaign, extraction: Extraction | None) -> Claim:
    return Claim(
        item=row.id,
        fence=row.fence,
        stage=row.stage,
        owner=row.owner,
        attempt=_attempt(row),
        uri=row.uri,
        trust=row.trust,
        stamp=row.stamp,
        campaign=campaign,
        extraction=extraction if row.stage is Stage.CLASSIFYING else None,
    )


def held(db: Connection, claims: Sequence[Claim]) -> dict[int, Row[Any]]:
    """The fence: rows of the items that these claims still hold, locked in one order."""
    numbers = {claim.item: (claim.fence, claim.stage) for claim in claims}
    found = db.execute(_HELD, {"items": list(numbers)})
    return {row.id: row for row in found if (row.fence, row.stage) == numbers[row.id]}


def in_hand(db: Connection, stage: Stage) -> int:
    counted = select(func.count()).select_from(ItemTable).with_hint(ItemTable, *BY_HELD)
    return db.execute(counted.where(text(IS_HELD), ItemTable.stage == stage)).scalar_one()


def renew(db: Connection, claims: Sequence[Claim], *, lease_s: float) -> set[int]:
    """Items that are still held; their leases end later, but never past their deadline."""
    mine = held(db, claims)
    smaller = func.min if db.dialect.name == "sqlite" else func.least
    until = smaller(now() + lease_s, ItemTable.deadline_at)
    db.execute(update(ItemTable).where(ItemTable.id.in_(mine)).values(lease_until=until))
    return set(mine)


def release(
    db: Connection, claims: Sequence[Claim], reason: str, *, after_s: float = 0.0
) -> set[int]:
    mine = held(db, claims)
    record(db, [give_back(db, mine[item], reason, after_s=after_s) for item in sorted(mine)])
    return set(mine)


Act = Callable[[Connection, Row[Any]], Move]


def hand_in(db: Connection, claim: Claim, act: Act) -> Stage | None:
    """Let a worker change the item it holds; None if it no longer holds it."""
    row = held(db, [claim]).get(claim.item)
    if row is None:
        return None
    move = act(db, row)
    record(db, [move])
    return move.new


def give_back(
    db: Connection,
    row: Row[Any],
    note: str,
    *,
    after_s: float = 0.0,
    to: Stage | None = None,
    **values: Any,
) -> Move:
    """A held item returns to where it was claimed from, or further back."""
    stage = to or RETURNS[row.stage]
    if stage is Stage.WAITING:
        values = _way(row) | values
    returned = {
        "row": row.id,
        "after_s": after_s,
        "stage": stage,
        "lease_until": NEVER,
        "owner": "",
    }
    db.execute(_GIVE_BACK, returned | values)
    return Move.of(row, stage, note)


def _way(row: Row[Any]) -> dict[str, int]:
    """Who was led on begins at its own address again, and needs room there as well.

    Where another host lies on its way, that one's place is kept: there is none for a third.
    """
    first = host_number(row.uri)
    if row.hop != NO_HOST or row.host in (NO_HOST, first):
        return {}
    return {"hop": first}
