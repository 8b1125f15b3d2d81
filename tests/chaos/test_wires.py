"""Faults 5, 6 and 9: connections that are cut, go dead or are not to be had."""

import sqlite3
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.chaos import oracle
from tests.chaos.deeds import uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.proxy import Proxy, Wire

CUT_EVERY_S = 1.0
#: More items than other tests have.
MANY_WITHIN_S = 600.0


@pytest.fixture
def redis_wire(fleet: Fleet) -> Iterator[Proxy]:
    with Proxy(fleet.redis.port) as proxy:
        fleet.extra["UNMASK_REDIS_URL"] = fleet.redis.url_at(proxy.port)
        yield proxy


@pytest.fixture
def database_wire(fleet: Fleet) -> Iterator[Proxy | None]:
    """None on SQLite, which has no wire."""
    if fleet.database_url.startswith("sqlite"):
        yield None
        return
    parts = urlsplit(fleet.database_url)
    folder = parse_qs(parts.query)["host"][0]
    with Proxy(f"{folder}/.s.PGSQL.5432") as proxy:
        through = parts._replace(netloc=f"postgres@127.0.0.1:{proxy.port}", query="")
        fleet.extra["UNMASK_DATABASE_URL"] = through.geturl()
        yield proxy


@pytest.mark.parametrize("seconds", [8, 60])
def test_connections_cut_every_second(
    fleet: Fleet, redis_wire: Proxy, database_wire: Proxy | None, seconds: int
) -> None:
    accepted = fleet.submit(map(uri, range(20 * seconds)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.05")
    fleet.until(lambda: fleet.ended() > 0, 60, fleet.report)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        redis_wire.cut()
        if database_wire:
            database_wire.cut()
        fleet.wait(CUT_EVERY_S)
    fleet.until_ended(within_s=MANY_WITHIN_S)
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize("seconds", [15, 120])
def test_half_open_connections(
    fleet: Fleet, redis_wire: Proxy, database_wire: Proxy | None, seconds: int
) -> None:
    """What was connected stays dead for good; afterwards new connections work."""
    wires = [wire for wire in (redis_wire, database_wire) if wire]
    accepted = fleet.submit(map(uri, range(300)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.05")
    fleet.until(lambda: fleet.ended() > 20, 60, fleet.report)
    for wire in wires:
        wire.wire = Wire.BLACK_HOLE
    fleet.wait(seconds)
    for wire in wires:
        wire.wire = Wire.WHOLE
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("seconds", [6, 30])
def test_a_database_that_is_gone(fleet: Fleet, database_wire: Proxy, seconds: int) -> None:
    accepted = fleet.submit(map(uri, range(300)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.02")
    fleet.until(lambda: fleet.ended() > 20, 60, fleet.report)
    database_wire.wire = Wire.GONE
    database_wire.cut()
    fleet.wait(seconds)
    database_wire.wire = Wire.WHOLE
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_is_slow(fleet: Fleet, database_wire: Proxy) -> None:
    """Each trip to it takes a tenth of a second: all goes on slowly, and nothing piles up."""
    window = 10
    fleet.extra["UNMASK_WINDOW_ITEMS"] = str(window)
    accepted = fleet.submit(map(uri, range(60)))
    database_wire.wire = Wire.SLOW
    fleet.start("sweep", "cpu", "gpu")
    most = 0

    def ended() -> bool:
        nonlocal most
        most = max(most, 0, *oracle.messages(fleet).values())
        return not fleet.left()

    fleet.until(ended, 400, fleet.report)
    # What is offered, and beside it what is in hand and not yet acknowledged.
    assert 0 < most <= 2 * window
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}
    assert {row.attempts for row in fleet.ledger.results(CAMPAIGN)} == {1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seconds", [6, 40])
def test_a_database_that_is_locked(fleet: Fleet, seconds: int) -> None:
    """Forty seconds are past the busy timeout: everybody is told `database is locked`."""
    accepted = fleet.submit(map(uri, range(300)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.02")
    fleet.until(lambda: fleet.ended() > 20, 60, fleet.report)
    with sqlite3.connect(fleet.database_url.removeprefix("sqlite:///"), timeout=60) as db:
        db.execute("BEGIN IMMEDIATE")
        fleet.wait(seconds)
        db.rollback()
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}
