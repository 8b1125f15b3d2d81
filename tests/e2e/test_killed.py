"""Killed in the middle, workers lose nothing, and a supervisor leaves nobody behind."""

import os
import signal

from tests.e2e.conftest import Bench, results
from tests.e2e.copies import MANY, PART, copies, finished
from tests.e2e.processes import of_marker
from tests.polling import until

#: Enough for a worker to be killed over, and few enough to be done twice.
FILMS = 6


def test_killed_workers_lose_nothing(shared: Bench) -> None:
    bench = shared.but(UNMASK_LEASE_S="3", UNMASK_HEARTBEAT_S="1", UNMASK_OFFER_LEASE_S="5")
    media = copies(shared.folder, FILMS)
    scan = bench.start("scan", str(media), "--out", str(shared.results), *PART)
    until(lambda: finished(bench) >= 1)
    for process in of_marker(bench.marker):
        if "workers.cpu worker" in process.command or "workers.gpu worker" in process.command:
            process.kill()
    assert scan.wait(240) == 0, (shared.folder / "stderr").read_text()
    rows = results(shared)
    assert [row["stage"] for row in rows] == ["done"] * FILMS


def test_a_killed_supervisor_takes_its_children_with_it(local: Bench) -> None:
    scan = local.start("scan", str(copies(local.folder, MANY)), "--out", str(local.results))
    until(lambda: finished(local) >= 1)
    os.kill(scan.pid, signal.SIGKILL)
    scan.wait()
    until(lambda: not of_marker(local.marker), within_s=60)
