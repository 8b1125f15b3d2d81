"""A host that has failed for an hour without one success: what still waits for it ends."""

from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, text, update

from infra.hosts import STORE
from infra.ledger import rows
from infra.ledger.clock import now
from infra.ledger.ends import End, end_all
from infra.ledger.moves import Move, record
from infra.ledger.policy import Politeness
from infra.ledger.result import Ending
from infra.ledger.rows import ITEM
from schemas.records import Campaign
from schemas.stages import Stage
from schemas.tables import (
    BY_FRESH,
    BY_OPEN,
    IS_FRESH,
    IS_OPEN,
    CampaignTable,
    ItemTable,
    PlaceTable,
)
from unmask.outcomes import Outcome

#: Items that one transaction ends.
BATCH = 500
MINUTE_S = 60.0


def give_up(db: Connection, polite: Politeness) -> int:
    """How many items ended; at most one batch of them.

    From the first failure to the last, not to now: since the last one nobody has tried it.
    """
    for_s = PlaceTable.failed_at - PlaceTable.down_since
    place = db.execute(
        select(PlaceTable.__table__, for_s.label("for_s"))
        .where(text("trouble > 0"), PlaceTable.trouble >= polite.patience)
        .where(PlaceTable.down_since <= now() - polite.give_up_s, PlaceTable.number != STORE)
        .where(for_s >= polite.give_up_s)
        .order_by(PlaceTable.down_since)
        .limit(1)
    ).first()
    if place is None:
        return 0
    ended = _end_all(db, place)
    if ended < BATCH:
        _begin_anew(db, place.number)
    return ended


def _end_all(db: Connection, place: Row[Any]) -> int:
    """What never had its turn, then what had one: led there from elsewhere, or to try again."""
    running = select(CampaignTable.id).where(CampaignTable.state == "running")
    moves: list[Move] = []
    for campaign in rows.campaigns(db, db.scalars(running)).values():
        for query in (_fresh(campaign, place.number), _again(campaign, place.number)):
            some = query.limit(BATCH - len(moves)).with_for_update(skip_locked=True)
            found = db.execute(some).all()
            moves += end_all(db, [_end(row, campaign, place) for row in found])
    record(db, moves)
    return len(moves)


def _fresh(campaign: Campaign, place: int) -> Select[Any]:
    return (
        select(*ITEM)
        .with_hint(ItemTable, *BY_FRESH)
        .where(ItemTable.campaign_id == campaign.id, text(IS_FRESH), ItemTable.host == place)
        .order_by(ItemTable.id)
    )


def _again(campaign: Campaign, place: int) -> Select[Any]:
    """Reads what was tried before, for every host, and none of those that never ran.

    What is on offer is about to be tried: it ends by that, or the next time.
    """
    return (
        select(*ITEM)
        .with_hint(ItemTable, *BY_OPEN)
        .where(ItemTable.campaign_id == campaign.id, ItemTable.stage == Stage.WAITING)
        .where(text(IS_OPEN), ItemTable.not_before > 0, ItemTable.offered_until <= now())
        .where(or_(ItemTable.host == place, ItemTable.hop == place))
        .order_by(ItemTable.not_before, ItemTable.id)
    )


def _end(row: Row[Any], campaign: Campaign, place: Row[Any]) -> End:
    for_min = round(place.for_s / MINUTE_S)
    reason = f"{place.name} failed for {for_min} min without one success; last: {place.reason}"
    ending = Ending(outcome=Outcome.UNREACHABLE, reason=reason)
    values = {"last_error": reason}
    return End(row=row, campaign=campaign, stage=Stage.REJECTED, ending=ending, values=values)


def _begin_anew(db: Connection, place: int) -> None:
    """Who queues its items again wants it tried again: for as long, and after its rest."""
    anew = update(PlaceTable).where(PlaceTable.number == place)
    db.execute(anew.values(down_since=PlaceTable.failed_at))
