"""Places that are visited: hosts, and our own store. Who had trouble rests; others go on.

A visit that went well writes nothing here unless there was trouble before, so that an archive on
one host makes no row that everybody waits for.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import Insert

from infra.hosts import NO_HOST, STORE, STORE_NAME, host_name, host_number
from infra.ledger.clock import now
from infra.ledger.moves import clean, insert_into, slot_of
from infra.ledger.policy import Politeness
from schemas.records import Answer, Claim, Happened, Happening, Resting
from schemas.stages import Stage
from schemas.tables import (
    BY_OFFERED,
    IS_OFFERED,
    NEVER,
    ItemTable,
    OccurrenceTable,
    PlaceTable,
)

#: Resting places that a status shows.
SHOWN = 5

_PARTED = (
    update(ItemTable)
    .where(ItemTable.id == bindparam("item"), ItemTable.fence == bindparam("number"))
    .values(visiting=0)
)
_WELL = (
    update(PlaceTable)
    .where(PlaceTable.number == bindparam("place"), PlaceTable.trouble > 0)
    .values(trouble=0, down_since=NEVER, rest_until=NEVER, reason="")
)
_REST = (
    update(PlaceTable)
    .where(PlaceTable.number == bindparam("place"))
    .where(PlaceTable.rest_until < now() + bindparam("rest_s", type_=Double()))
    .values(rest_until=now() + bindparam("rest_s", type_=Double()))
)
_STILL_OFFERED = (
    select(ItemTable.id)
    .with_hint(ItemTable, *BY_OFFERED)
    .where(text(IS_OFFERED), ItemTable.stage == Stage.WAITING)
    .where(or_(ItemTable.host == bindparam("place"), ItemTable.hop == bindparam("place")))
    .with_for_update(skip_locked=True)
)
#: What is on offer for a place that rests would be visited all the same. Its messages come to
#: nothing, and it is offered again after the rest.
_WITHDRAWN = (
    update(ItemTable)
    .where(ItemTable.id.in_(_STILL_OFFERED))
    .values(
        offered_until=NEVER,
        not_before=now() + bindparam("rest_s", type_=Double()),
        offers=ItemTable.offers - 1,
    )
)


def visited(
    db: Connection,
    polite: Politeness,
    claim: Claim,
    answer: Answer,
    reason: str,
    *,
    after_s: float | None,
    uri: str = "",
) -> None:
    """The connection is closed: its place is free, and how it went is remembered.

    `uri` is where the item was led to, if it was.
    """
    db.execute(_PARTED, {"item": claim.item, "number": claim.fence})
    happened(db, claim.campaign.id, Happening(answer.value), reason)
    place = host_number(uri or claim.uri)
    if place == NO_HOST:
        return
    if answer is Answer.ANSWERED:
        db.execute(_WELL, {"place": place})
    else:
        trouble(db, polite, place, host_name(uri or claim.uri), reason, after_s=after_s)


def store_trouble(db: Connection, polite: Politeness, reason: str, after_s: float | None) -> None:
    trouble(db, polite, STORE, STORE_NAME, reason, after_s=after_s)


def store_well(db: Connection) -> None:
    db.execute(_WELL, {"place": STORE})


def trouble(
    db: Connection,
    polite: Politeness,
    place: int,
    name: str,
    reason: str,
    *,
    after_s: float | None,
) -> None:
    """Who failed while the place rests was on the way there before: that is no further failure.

    Else a fleet with a hundred items in hand would double the rest a hundred times for one fault.
    """
    line = {"number": place, "name": name, "reason": clean(reason)}
    times = db.execute(
        _in_trouble(db.dialect.name), line | {"untried_s": polite.longest_rest_s}
    ).scalar_one()
    rest_s = polite.rest(times, after_s)
    if rest_s > 0:
        db.execute(_REST, {"place": place, "rest_s": rest_s})
        db.execute(_WITHDRAWN, {"place": place, "rest_s": rest_s})


@cache
def _in_trouble(dialect: str) -> Any:
    """Failures far apart say nothing of the time between them: nobody may have tried it then.

    Of each such gap only as much counts as a host rests at the longest.
    """
    at = {"down_since": now(), "failed_at": now()}
    statement: Insert = insert_into(dialect, PlaceTable).values(trouble=1, **at)
    # A worker of the version before keeps no `failed_at`.
    before = case(
        (PlaceTable.failed_at > PlaceTable.down_since, PlaceTable.failed_at),
        else_=PlaceTable.down_since,
    )
    untried_s = now() - before - bindparam("untried_s", type_=Double())
    since = case(
        (PlaceTable.down_since <= 0, now()),
        (untried_s > 0, PlaceTable.down_since + untried_s),
        else_=PlaceTable.down_since,
    )
    is_new = case((PlaceTable.rest_until <= now(), 1), else_=0)
    return statement.on_conflict_do_update(
        index_elements=["number"],
        set_={
            "trouble": PlaceTable.trouble + is_new,
            "reason": statement.excluded.reason,
            "down_since": since,
            "failed_at": now(),
        },
    ).returning(PlaceTable.trouble)


def resting(db: Connection, polite: Politeness) -> tuple[Resting, ...]:
    found = db.execute(
        select(
            PlaceTable.name,
            PlaceTable.reason,
            PlaceTable.trouble,
            (PlaceTable.rest_until - now()).label("for_s"),
        )
        .where(text("trouble > 0"), _rests(polite))
        .order_by(PlaceTable.down_since)
        .limit(SHOWN)
    )
    return tuple(
        Resting(name=row.name, reason=row.reason, for_s=max(0.0, row.for_s), trouble=row.trouble)
        for row in found
    )


def resting_count(db: Connection, polite: Politeness) -> dict[str, int]:
    """How many rest now: our own store, and hosts."""
    at_store = func.coalesce(func.sum(case((PlaceTable.number == STORE, 1), else_=0)), 0)
    every, store = db.execute(
        select(func.count(), at_store).where(text("trouble > 0"), _rests(polite))
    ).one()
    return {"store": int(store), "hosts": int(every) - int(store)}


def _rests(polite: Politeness) -> ColumnElement[bool]:
    """Our own store after its rest too: until one item has shown that it is well, all others wait.

    A host may never be visited again, and holds up nobody.
    """
    on_trial = and_(PlaceTable.number == STORE, PlaceTable.trouble >= polite.patience)
    return or_(PlaceTable.rest_until > now(), on_trial)


# What happened, counted for the brake


def happened(db: Connection, campaign: int, what: Happening, words: str) -> None:
    line = {"campaign_id": campaign, "what": what.value, "slot": slot_of(db), "words": clean(words)}
    db.execute(_counted(db.dialect.name), line)


@cache
def _counted(dialect: str) -> Insert:
    statement = insert_into(dialect, OccurrenceTable).values(times=1, at=now())
    return statement.on_conflict_do_update(
        index_elements=["campaign_id", "what", "slot"],
        set_={
            "times": OccurrenceTable.times + 1,
            "at": statement.excluded.at,
            "words": statement.excluded.words,
        },
    )


def occurrences(db: Connection, campaign: int) -> dict[Happening, Happened]:
    found = db.execute(
        select(OccurrenceTable.what, OccurrenceTable.times, OccurrenceTable.words)
        .where(OccurrenceTable.campaign_id == campaign)
        .order_by(OccurrenceTable.at)
    ).all()
    return {what: _sum([row for row in found if row.what == what.value]) for what in Happening}


def _sum(rows: Sequence[Any]) -> Happened:
    words = rows[-1].words if rows else ""
    return Happened(times=sum(int(row.times) for row in rows), words=words)
