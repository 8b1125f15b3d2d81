"""The real work, with nothing made up: pool children and the classifier are killed in it."""

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

SAMPLE = ROOT / "samples" / "talking-head.mp4"
ITEMS = 8


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


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_killed_in_the_middle_of_the_real_work(fleet: Fleet) -> None:
    fleet.extra |= {"UNMASK_LEASE_S": "20", "UNMASK_HEARTBEAT_S": "5"}
    for name, seconds in (("SOFT", "120"), ("HARD", "130")):
        fleet.extra[f"UNMASK_EXTRACT_{name}_LIMIT_S"] = seconds
    fleet.extra |= {"UNMASK_DECODE_DEADLINE_S": "100", "UNMASK_CLASSIFY_DEADLINE_S": "120"}
    fleet.extra |= {"UNMASK_VISIBILITY_TIMEOUT_S": "140"}
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
