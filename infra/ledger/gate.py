"""Which hosts may be visited now, and how often: asked by the feeder, of which there is one.

A worker asks too, once its host leads it on to another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, or_, select, text, update

from infra.hosts import NO_HOST, STORE, host_name, host_number
from infra.ledger.clock import now
from infra.ledger.moves import insert_into
from infra.ledger.policy import Politeness
from schemas.records import Claim, Led
from schemas.stages import Stage
from schemas.tables import (
    BY_HELD,
    BY_OFFERED,
    IS_HELD,
    IS_OFFERED,
    ItemTable,
    PlaceTable,
)

#: As many as are asked for.
NO_LIMIT = 1 << 30
#: Visits may come in bursts of what the rate allows in this time.
BURST_S = 1.0
#: Where all connections are taken, look again after this long.
SOON_S = 1.0


@dataclass
class Gate:
    """Counts down as visits are handed out; `keep` writes what the rate has to remember."""

    db: Connection
    polite: Politeness
    at: float
    busy: Mapping[int, int]
    _places: dict[int, Any] = field(default_factory=dict)
    _taken: dict[int, int] = field(default_factory=dict)
    _next_at: dict[int, float] = field(default_factory=dict)

    def know(self, hosts: Iterable[int]) -> None:
        """Read once what there is to know of these hosts."""
        unknown = [host for host in set(hosts) if host != NO_HOST and host not in self._places]
        self._places |= dict.fromkeys(unknown)
        if unknown:
            found = self.db.execute(
                select(PlaceTable.__table__).where(PlaceTable.number.in_(unknown))
            )
            self._places |= {row.number: row for row in found}

    def window(self) -> int:
        """Our own store, full or away, holds up everything; after its rest one item tries it."""
        place = self._places.get(STORE)
        if place is None or place.trouble < self.polite.patience:
            return NO_LIMIT
        return 0 if place.rest_until > self.at else 1

    def room(self, host: int) -> int:
        """How many visits it may get now."""
        if host == NO_HOST:
            return NO_LIMIT
        place = self._places.get(host)
        if place is not None and place.rest_until > self.at:
            return 0
        used = self.busy.get(host, 0) + self._taken.get(host, 0)
        return max(0, min(self._connections(place) - used, self._by_rate(host, place)))

    def take(self, host: int, count: int) -> None:
        if host == NO_HOST or not count:
            return
        self._taken[host] = self._taken.get(host, 0) + count
        if self.polite.per_s:
            place = self._places.get(host)
            due = self._next_at.get(host, place.next_at if place is not None else 0.0)
            self._next_at[host] = max(due, self.at) + count / self.polite.per_s

    def wait_s(self, host: int) -> float:
        """Seconds until it is worth looking at a closed host again."""
        place = self._places.get(host)
        rest_s = place.rest_until - self.at if place is not None else 0.0
        return max(rest_s, SOON_S)

    def keep(self, names: Mapping[int, str]) -> None:
        if not self._next_at:
            return
        statement = insert_into(self.db.dialect.name, PlaceTable)
        upsert = statement.on_conflict_do_update(
            index_elements=["number"], set_={"next_at": statement.excluded.next_at}
        )
        self.db.execute(
            upsert,
            [
                {"number": host, "name": names.get(host, ""), "next_at": due}
                for host, due in sorted(self._next_at.items())
            ],
        )

    def _connections(self, place: Any) -> int:
        """After a rest one visit shows whether the host is well again."""
        if place is not None and place.trouble >= self.polite.patience:
            return 1
        return self.polite.connections or NO_LIMIT

    def _by_rate(self, host: int, place: Any) -> int:
        if not self.polite.per_s:
            return NO_LIMIT
        due = self._next_at.get(host, place.next_at if place is not None else 0.0)
        ahead = self.at + BURST_S - max(due, self.at - BURST_S)
        return max(0, int(ahead * self.polite.per_s))


def open_gate(db: Connection, polite: Politeness) -> Gate:
    at = float(db.execute(select(now())).scalar_one())
    gate = Gate(db=db, polite=polite, at=at, busy=_busy(db))
    gate.know([STORE])
    return gate


def led(db: Connection, polite: Politeness, claim: Claim, uri: str, *, at: str) -> Led:
    """From now on the item counts for the host that it is led to, and no longer for where it is.

    Where a try before was led further on, it counts for that host since it was offered, and keeps
    its place there while it comes along:

        a → b → c    c has no room: it waits for c, and for a, where it begins again
        a → b        counts for c and b; without room at b it waits until both have some
        a → b → c    counts for c
    """
    number = host_number(uri)
    if db.dialect.name == "postgresql":
        db.execute(_LOCK, {"host": number})
    mine = ItemTable.id == claim.item, ItemTable.fence == claim.fence
    row = db.execute(select(ItemTable.host, ItemTable.hop, ItemTable.waits).where(*mine)).first()
    if row is None:  # it is another worker's by now
        return Led()
    counts_for = [host for host in (row.host, row.hop) if host not in (NO_HOST, host_number(at))]
    led, room = Led(), 1
    if number not in counts_for:
        counts_for = [*counts_for[:1], number]
        led = _ask(db, polite, uri, row.waits + 1)
        room = int(not led.wait_s)
    host, hop = (*counts_for, NO_HOST)[:2]
    places = {"host": host, "hop": hop, "visiting": room, "waits": row.waits + 1 - room}
    db.execute(update(ItemTable).where(*mine).values(places))
    return led


def _ask(db: Connection, polite: Politeness, uri: str, waits: int) -> Led:
    """Who waits once more waits longer each time: it is not the only one who wants to go there."""
    number = host_number(uri)
    at = float(db.execute(select(now())).scalar_one())
    gate = Gate(db=db, polite=polite, at=at, busy=_busy(db, number))
    gate.know([number])
    if not gate.room(number):
        wait_s = max(gate.wait_s(number), waits * SOON_S)
        return Led(wait_s=wait_s, spent=waits > polite.most_waits)
    gate.take(number, 1)
    gate.keep({number: host_name(uri)})
    return Led()


#: One at a time asks for room at the same host.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('unmask.led', CAST(:host AS bigint)))")


def _busy(db: Connection, only: int | None = None) -> dict[int, int]:
    """Connections that are open, or may be at any moment. Reads the window and what is held."""
    of_host = () if only is None else (or_(ItemTable.host == only, ItemTable.hop == only),)
    places = ItemTable.host, ItemTable.hop
    offered = (
        select(*places, func.count())
        .with_hint(ItemTable, *BY_OFFERED)
        .where(text(IS_OFFERED), ItemTable.stage == Stage.WAITING, ItemTable.offered_until > now())
        .where(*of_host)
        .group_by(*places)
    )
    held = (
        select(*places, func.count())
        .with_hint(ItemTable, *BY_HELD)
        .where(text(IS_HELD), ItemTable.visiting > 0, *of_host)
        .group_by(*places)
    )
    counted: dict[int, int] = {}
    for query in (offered, held):
        for *hosts, count in db.execute(query):
            for host in hosts:
                counted[host] = counted.get(host, 0) + count
    return counted
