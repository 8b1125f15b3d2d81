"""The one-machine run: start the fleet, submit, watch, stop, report."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import FrameType

from infra.ledger import Ledger
from producer.local import Machine
from schemas.records import Campaign, CampaignStatus, NewItem, Resting, Submitted
from schemas.stages import ENDS, Stage
from unmask.errors import TryAgain

#: How often the ledger is asked while a person watches.
LOOK_EVERY_S = 0.5
#: While the ledger does not answer.
PATIENCE_S = 5.0


class Exit(IntEnum):
    """What the command's status says to a script."""

    FINE = 0
    USAGE = 2
    DEAD_ITEMS = 3
    BRAKE = 4
    INTERRUPTED = 130


class Submission:
    """The source being read in a thread of its own, so that work starts with its first rows."""

    def __init__(self, ledger: Ledger, campaign: Campaign, items: Iterable[NewItem]) -> None:
        self.ledger, self.campaign, self._items = ledger, campaign, items
        self._reading: Future[Submitted] | None = None

    def start(self) -> None:
        self._reading = Future()
        threading.Thread(
            target=self._run, args=(self._reading,), name="submit", daemon=True
        ).start()

    @property
    def is_over(self) -> bool:
        """Raises here, in the thread that can tell it, what went wrong there."""
        if self._reading is None or not self._reading.done():
            return False
        self._reading.result()
        return True

    @property
    def counts(self) -> Submitted | None:
        """How many were new; None while the source is still being read."""
        return self._reading.result() if self._reading is not None and self.is_over else None

    def _run(self, reading: "Future[Submitted]") -> None:
        try:
            reading.set_result(self.ledger.submit(self.campaign, self._items))
        except BaseException as error:  # noqa: BLE001 - the main thread raises it, and tells it
            reading.set_exception(error)


@dataclass(frozen=True, kw_only=True)
class Watching:
    """One look at the scan, for whoever shows it."""

    status: CampaignStatus
    submission: Submission
    notes: tuple[str, ...] = ()
    #: Why nothing may move for a while.
    resting: tuple[Resting, ...] = ()


def watch(
    machine: Machine,
    submission: Submission,
    show: Callable[[Watching], None],
    show_trouble: Callable[[str], None],
    stop: threading.Event,
) -> Exit:
    """Until every item has ended, or the brake stopped the campaign."""
    while not stop.is_set():
        reading = not submission.is_over
        notes = tuple(machine.check())
        try:
            status = submission.ledger.status(submission.campaign.options.name)
            resting = tuple(submission.ledger.resting())
        except TryAgain as trouble:
            show_trouble(trouble.reason)
            stop.wait(PATIENCE_S)
            continue
        show(Watching(status=status, submission=submission, notes=notes, resting=resting))
        if status.campaign.state == "paused":
            return Exit.BRAKE
        if not reading and is_finished(status):
            return verdict_of(status)
        stop.wait(LOOK_EVERY_S)
    return Exit.INTERRUPTED


def is_finished(status: CampaignStatus) -> bool:
    return not any(count for stage, count in status.stages.items() if stage not in ENDS)


def verdict_of(status: CampaignStatus) -> Exit:
    return Exit.DEAD_ITEMS if status.stages.get(Stage.DEAD) else Exit.FINE


@contextmanager
def told_by_signals() -> Iterator[threading.Event]:
    """Set by Ctrl-C or SIGTERM. Only a flag: an exception out of a handler may get lost."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in numbers:
        signal.signal(number, told)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def default_results(campaign: str) -> Path:
    return Path("results") / campaign
