"""Faults 1, 2 and 3: pool children that are killed, a death while taking, a freeze."""

import random
import signal
from pathlib import Path

import psutil
import pytest
from celery import Celery

from tests.chaos import oracle, plain
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet, freeze, thaw
from tests.chaos.points import FREEZE, PLACES

CHANCE = random.Random(17)
MESSAGES = 20


@pytest.mark.parametrize(("items", "kills"), [(200, 5), (2000, 50)])
def test_killed_pool_children(fleet: Fleet, items: int, kills: int) -> None:
    accepted = fleet.submit(map(uri, range(items)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.01")
    for number in range(1, kills + 1):
        fleet.until_some_ended(items * number // (kills + 2))
        fleet.until(lambda: bool(fleet.pool("cpu")))
        CHANCE.choice(fleet.pool("cpu")).send_signal(signal.SIGKILL)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": items}


def test_death_while_taking_a_message(fleet: Fleet) -> None:
    accepted = fleet.submit(map(uri, range(MESSAGES)))
    fleet.mortal.add("cpu")
    mark = fleet.folder / "died"
    fleet.start("sweep", "gpu")
    fleet.start("cpu", CHAOS_DIE_TAKING=str(mark))
    fleet.until_ended()
    assert mark.exists()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_same_death_loses_a_message_of_plain_celery(fleet: Fleet) -> None:
    """The control: without it the test above would prove nothing."""
    done, mark = fleet.folder / "done", fleet.folder / "died"
    done.mkdir()
    sender = Celery("plain", broker=fleet.redis.url)
    for number in range(MESSAGES):
        sender.send_task(f"{plain.__name__}.note", args=[number])
    fleet.mortal.add("plain")
    given = {"CHAOS_DIE_TAKING": str(mark), plain.DONE: str(done)}
    fleet.start("plain", **given)
    fleet.until(lambda: numbers(done) >= MESSAGES - 1, 60, lambda: fleet.log("plain"))
    # Far past the time after which Redis would have handed it out again.
    fleet.wait(3 * plain.VISIBILITY_S)
    assert mark.exists()
    assert numbers(done) == MESSAGES - 1


def numbers(folder: Path) -> int:
    return len(list(folder.iterdir()))


def test_a_frozen_worker_wakes_up_too_late(fleet: Fleet) -> None:
    accepted = fleet.submit([uri(1, Deed.HELD), *map(uri, range(10, 20))])
    fleet.start("sweep", "gpu")
    fleet.start("cpu", UNMASK_CPU_PROCESSES="1")
    fleet.until(lambda: fleet.is_held("cpu"), 60, fleet.report)
    frozen = [fleet.process("cpu"), *fleet.pool("cpu")]
    freeze(frozen)
    fleet.let_go("cpu")
    fleet.start("cpu-2")
    fleet.until_ended()
    thaw(frozen)
    fleet.until(lambda: "too late" in fleet.log("cpu"), 60, fleet.report)
    oracle.check(fleet, accepted=accepted)
    assert all(process.status() != psutil.STATUS_ZOMBIE for process in frozen)


def test_a_frozen_classifier_wakes_up_too_late(fleet: Fleet) -> None:
    accepted = fleet.submit([uri(1, Deed.GPU_HELD), *map(uri, range(10, 20))])
    fleet.start("sweep", "gpu", "cpu")
    fleet.until(lambda: fleet.is_held("gpu"), 60, fleet.report)
    frozen = [fleet.process("gpu")]
    freeze(frozen)
    fleet.let_go("gpu")
    fleet.start("gpu-2")
    fleet.until_ended()
    thaw(frozen)
    fleet.until(lambda: "too late" in fleet.log("gpu"), 60, fleet.report)
    oracle.check(fleet, accepted=accepted)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_that_freezes_inside_a_transaction_keeps_nobody_waiting(fleet: Fleet) -> None:
    """On SQLite there is one writer: the others wait until it wakes up or is killed."""
    accepted = fleet.submit(map(uri, range(20)))
    fleet.start("sweep", "gpu")
    place = "extracting>extracted:before"
    fleet.start("cpu", UNMASK_CPU_PROCESSES="1", **{FREEZE: place, PLACES: place})
    fleet.until(lambda: any_is_stopped(fleet.pool("cpu")), 60, fleet.report)
    fleet.start("cpu-2")
    fleet.until_ended()
    thaw(fleet.pool("cpu"))
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


def any_is_stopped(processes: list[psutil.Process]) -> bool:
    return any(process.status() == psutil.STATUS_STOPPED for process in processes)
