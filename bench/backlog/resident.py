"""Whether workers, sweep and Flower grow while they do nothing a hundred thousand times."""

import sys
import time

import psutil

from bench.backlog import Figures
from bench.backlog.databases import SQLITE
from bench.backlog.fleets import fleet
from producer.local import redis_server
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet

ITEMS = 100_000
#: Shares of the run that are compared.
EARLY, LATE = 0.2, 1.0
#: Thirty items a second on a slow machine.
WITHIN_S = 3_600.0
GLANCE_S = 0.5
KINDS = ("cpu", "gpu", "sweep", "flower")
#: Of so many items one has a face, and goes through the classifier's worker too.
WITH_A_FACE = 10


def resident() -> Figures:
    with fleet(SQLITE) as one:
        one.submit(
            uri(number, Deed.BLOCKED if number % WITH_A_FACE else None) for number in range(ITEMS)
        )
        one.start("sweep", "cpu", "gpu")
        one.add("flower", flower(), UNMASK_FLOWER_PORT=str(redis_server.free_port()))
        early = _at(one, EARLY)
        late = _at(one, LATE)
    growth = {f"memory_growth_{kind}": late[kind] / early[kind] for kind in KINDS}
    sizes = {f"memory_mb_{kind}": late[kind] / 1e6 for kind in KINDS}
    return {**growth, **sizes, "memory_growth": max(growth.values())}


def flower() -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "workers.cpu", "flower"]


def _at(one: Fleet, share: float) -> dict[str, float]:
    until = time.monotonic() + WITHIN_S
    while one.ended(CAMPAIGN) < share * ITEMS:
        assert time.monotonic() < until, one.report()
        one.tend()
        time.sleep(GLANCE_S)
    assert not one.fallen, one.fallen
    return {kind: _bytes(one.process(kind)) for kind in KINDS}


def _bytes(process: psutil.Process) -> float:
    """Of a process and all that it started."""
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_full_info().uss for member in family))
