"""Faults 4 and 7: a Redis that forgets, dies, or is full."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import redis

from tests.chaos import oracle
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, ROOT, Fleet

#: A flushed Redis holds offers again after this long, under the settings as they are shipped.
REBUILT_WITHIN_S = 60.0
ITEMS = 300
#: Lines before Redis fills up, and all of them.
FEW, MANY = 20, 500
SHIPPED = {
    "UNMASK_OFFER_LEASE_S": "45",
    "UNMASK_VISIBILITY_TIMEOUT_S": "60",
    "UNMASK_SWEEP_EVERY_S": "0.5",
}


def flush(fleet: Fleet) -> None:
    with fleet.redis.client() as client:
        client.flushall()


def kill_and_start(fleet: Fleet) -> None:
    fleet.redis.kill()
    fleet.redis.start()


def halfway(fleet: Fleet) -> bool:
    return fleet.ended() >= ITEMS // 4


@pytest.mark.parametrize("forget", [flush, kill_and_start])
@pytest.mark.parametrize("given", [SHIPPED, {}], ids=["shipped", "short"])
def test_a_redis_that_forgets_is_filled_again(
    fleet: Fleet, forget: Callable[[Fleet], None], given: dict[str, str]
) -> None:
    fleet.extra |= given
    accepted = fleet.submit(map(uri, range(ITEMS)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.02")
    fleet.until(lambda: halfway(fleet), 120, fleet.report)
    forget(fleet)
    ended = fleet.ended()
    rebuilt_s = fleet.until(
        lambda: fleet.ended() > ended + ITEMS // 3, REBUILT_WITHIN_S, fleet.report
    )
    print(f"worked again after {rebuilt_s:.1f} s")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seconds", [20, 90])
def test_workers_outlive_a_redis_that_is_away(fleet: Fleet, seconds: int) -> None:
    """The oracle knows of every process that ended by itself."""
    accepted = fleet.submit(map(uri, range(ITEMS)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.05")
    fleet.until(lambda: fleet.ended() > 20, 60, fleet.report)
    before = {kind: fleet.process(kind).pid for kind in ("sweep", "cpu", "gpu")}
    fleet.redis.kill()
    fleet.wait(seconds)
    fleet.redis.start()
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert {kind: fleet.process(kind).pid for kind in before} == before
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


def test_a_full_redis_holds_nothing_up_for_good(fleet: Fleet) -> None:
    fleet.extra |= {"UNMASK_WINDOW_ITEMS": "500"}
    with fleet.redis.client() as client:
        fill(client)
        accepted = fleet.submit(map(uri, range(ITEMS)))
        fleet.start("sweep", "cpu", "gpu")
        fleet.until(lambda: "Redis took" in fleet.log("sweep"), 60, fleet.report)
        assert fleet.ended() < ITEMS
        client.config_set("maxmemory", "256mb")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


def test_a_redis_that_fills_up_in_the_middle_of_a_submit(fleet: Fleet) -> None:
    """The submit goes on, since it fills the ledger; the fleet does, once there is room."""
    fleet.extra |= {"UNMASK_WINDOW_ITEMS": "500"}
    command = [sys.executable, "-m", "producer", "submit", "-", "--campaign", CAMPAIGN]
    environment = fleet.environment({})
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE) as submit:
        assert submit.stdin is not None
        submit.stdin.write(lines(0, FEW))
        submit.stdin.flush()
        fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.1")
        fleet.until(lambda: seen(fleet) and fleet.ended() > 0, 60, fleet.report)
        with fleet.redis.client() as client:
            fill(client)
            submit.stdin.write(lines(FEW, MANY))
            submit.stdin.close()
            assert submit.wait(60) == 0
            assert sum(fleet.ledger.status(CAMPAIGN).stages.values()) == MANY
            fleet.until(lambda: "Redis took" in fleet.log("sweep"), 60, fleet.report)
            assert fleet.left() > 0
            client.config_set("maxmemory", "256mb")
    fleet.until_ended()
    oracle.check(fleet, accepted=MANY)
    assert set(fleet.ledger.status(CAMPAIGN).stages) == {"rejected"}


def seen(fleet: Fleet) -> bool:
    return any(one.options.name == CAMPAIGN for one in fleet.ledger.campaigns())


def lines(first: int, last: int) -> bytes:
    return "".join(f"{uri(number, Deed.REFUSED)}\n" for number in range(first, last)).encode()


def fill(client: redis.Redis) -> None:
    """Room for a few messages, and no more."""
    used = int(client.info("memory")["used_memory"])
    client.config_set("maxmemory", used + (200 << 10))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["cpu", "gpu", "sweep"])
def test_a_redis_that_throws_messages_away_is_refused(fleet: Fleet, kind: str) -> None:
    with fleet.redis.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    fleet.start(kind)
    child = fleet.children.pop(kind)
    fleet.until(lambda: child.ended is not None, 60, lambda: fleet.log(kind))
    assert child.ended != 0
    assert "noeviction" in child.tail()
