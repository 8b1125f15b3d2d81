"""From kill -9 of a worker to its items running again, under the settings as they are shipped."""

import statistics
import time

from bench.backlog import Figures
from bench.backlog.fleets import fleet
from schemas.stages import Stage
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet

HELD = 50
#: A third loss would be an item's last.
ROUNDS = 2
WITHIN_S = 150.0
#: Celery's own answer to the same kill: a message comes back after its visibility timeout.
CELERYS_S = 3600.0


def recovery(kind: str) -> Figures:
    """Each round kills a worker, pool and all, with all its items in the middle of their work."""
    with fleet(kind, UNMASK_CPU_PROCESSES=str(HELD)) as one:
        one.submit(uri(number, Deed.HELD) for number in range(HELD))
        one.start("sweep", "cpu")
        taken = _claimed(one, HELD)
        waits: list[float] = []
        for number in range(ROUNDS):
            time.sleep(5.0 * number + 1.0)  # at another moment between two heartbeats each time
            one.kill(f"cpu-{number}" if number else "cpu")
            killed_at = time.time()
            one.children.pop(f"cpu-{number}" if number else "cpu")
            one.start(f"cpu-{number + 1}")
            again = _claimed(one, HELD * (number + 2))
            waits += [moment - killed_at for moment in again[len(taken) :]]
            taken = again
        one.let_go("cpu")
        one.start("gpu")
        one.until_ended()
        stages = one.ledger.status(CAMPAIGN).stages
    assert stages == {Stage.DONE: HELD}, stages
    return {
        f"recovery_losses_{kind}": len(waits),
        f"recovery_p99_s_{kind}": statistics.quantiles(waits, n=100)[-1],
        f"recovery_median_s_{kind}": statistics.median(waits),
        "recovery_celery_default_s": CELERYS_S,
    }


def _claimed(one: Fleet, count: int) -> list[float]:
    """Moments of all claims so far, once there are so many."""

    def claims() -> list[float]:
        moves = (one.ledger.history(row.item) for row in one.ledger.results(CAMPAIGN))
        return sorted(
            move.at.timestamp() for item in moves for move in item if move.new is Stage.EXTRACTING
        )

    one.until(lambda: len(claims()) >= count, WITHIN_S, one.report)
    return claims()
