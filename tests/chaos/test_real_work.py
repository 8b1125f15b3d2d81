"""The real work, with nothing made up: processes are killed in it, and told to stop."""

import shutil
import signal
from pathlib import Path

import pytest

from infra.download import stamp_of
from schemas.records import NewItem, Trust
from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.fleet import CAMPAIGN, ROOT, Fleet
from tests.chaos.surroundings import REAL
from tests.services.strangers import Behaviour, drip_body, silent, stranger
from unmask.outcomes import Outcome

SAMPLE = ROOT / "samples" / "talking-head.mp4"
ITEMS = 8
#: A worker may finish what it holds for so long, and then needs a moment to give it back and end.
#: A server may be silent for longer than both, and the limits of a download are longer still.
DRAIN_S, MOMENT_S = 3.0, 12.0


def media(folder: Path) -> list[NewItem]:
    """One film under many contents: a changed tail makes it another."""
    folder.mkdir()
    items = []
    for number in range(ITEMS):
        target = folder / f"{number}.mp4"
        shutil.copy(SAMPLE, target)
        with target.open("ab") as file:
            file.write(number.to_bytes(4, "big"))
        stamp = stamp_of(target.stat())
        items.append(NewItem(uri=str(target), trust=Trust.LOCAL, stamp=stamp))
    return items


def have_patience(fleet: Fleet) -> None:
    """Real work takes its time."""
    fleet.extra |= {"UNMASK_LEASE_S": "20", "UNMASK_HEARTBEAT_S": "5"}
    for name, seconds in (("SOFT", "120"), ("HARD", "130")):
        fleet.extra[f"UNMASK_EXTRACT_{name}_LIMIT_S"] = seconds
    fleet.extra |= {"UNMASK_DECODE_DEADLINE_S": "100", "UNMASK_CLASSIFY_DEADLINE_S": "120"}
    fleet.extra |= {"UNMASK_VISIBILITY_TIMEOUT_S": "140"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_killed_in_the_middle_of_the_real_work(fleet: Fleet) -> None:
    have_patience(fleet)
    accepted = fleet.ledger.submit(fleet.campaign(), media(fleet.folder / "media")).new
    fleet.mortal.add("gpu")
    fleet.start("sweep", "cpu", "gpu", **{REAL: "yes"})
    fleet.until_some_ended(1)
    fleet.until(lambda: bool(fleet.pool("cpu")))
    fleet.pool("cpu")[0].send_signal(signal.SIGKILL)
    fleet.process("gpu").send_signal(signal.SIGKILL)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {Stage.DONE: ITEMS}


@pytest.mark.parametrize("slow", [drip_body, silent], ids=["trickle", "silence"])
def test_told_to_stop_while_a_server_dawdles(fleet: Fleet, slow: Behaviour) -> None:
    """What is being fetched goes back without a charge, and the next worker gets it whole."""
    have_patience(fleet)
    with stranger() as (server, behave):
        behave["/film.mp4"] = slow
        fleet.extra |= {
            "UNMASK_DRAIN_S": str(DRAIN_S),
            "UNMASK_DOWNLOAD_DEADLINE_S": "100",
            "UNMASK_DOWNLOAD_ALLOW_NETWORKS": "127.0.0.1/32",
            "UNMASK_DOWNLOAD_PORTS": str(server.port),
        }
        url = server.url("/film.mp4", host="127.0.0.1")
        accepted = fleet.submit([url], extract_only=True)
        fleet.start("sweep", "cpu", **{REAL: "yes"})
        fleet.until(lambda: bool(server.requests), 60, fleet.report)
        fleet.stop("cpu", within_s=DRAIN_S + MOMENT_S)
        (row,) = fleet.ledger.results(CAMPAIGN)
        assert (row.stage, row.attempts) == (Stage.WAITING, 0)
        assert fleet.ledger.history(row.item)[-1].note == "the worker is stopping"
        behave["/film.mp4"] = lambda visit: visit.answer(body=SAMPLE.read_bytes())
        fleet.start("cpu-next", **{REAL: "yes"})
        fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    (row,) = fleet.ledger.results(CAMPAIGN)
    assert (row.stage, row.outcome, row.attempts) == (Stage.DONE, Outcome.EXTRACTED, 1)
    assert len(server.requests) == 2
