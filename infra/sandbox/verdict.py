"""What the end of a guest means for its item."""

import signal

from infra.sandbox.results import Results
from infra.sandbox.wire import Report, Request
from unmask.errors import Refused, UnmaskError
from unmask.media.values import Clip, Manifest
from unmask.outcomes import Outcome

MIB = 1 << 20
#: How libraries say that memory ran out, where they do not raise MemoryError.
_NO_MEMORY = (
    "bad_alloc",
    "Insufficient memory",
    "Cannot allocate memory",
    "OutOfMemory",
)


class RoomCrashed(UnmaskError):
    """The room broke. `by_the_file` where what is in it did that, and not our own set-up."""

    def __init__(self, reason: str, *, by_the_file: bool, ended: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.by_the_file = by_the_file
        self.ended = ended


def judge(results: Results, report: Report, request: Request) -> list[Clip | Manifest]:
    """The pieces, or why there are none."""
    if not report.taken:
        reason = "no process got as far as taking the file; is the machine short of memory?"
        raise RoomCrashed(reason, by_the_file=False)
    over = _over(results, report, request)
    if over:
        raise over
    if report.ended != 0 or not (results.done or results.refused):
        raise RoomCrashed(_crash(results, report), by_the_file=True, ended=report.ended)
    if results.refused:
        raise results.refused
    if results.manifest is None:
        raise AssertionError("done without a manifest")
    return [*results.clips, results.manifest]


def given_up(crash: RoomCrashed) -> UnmaskError:
    """After the last try."""
    if not crash.by_the_file:
        return crash
    if crash.ended == -signal.SIGKILL:
        return Refused(Outcome.OVER_BUDGET, "the system ended its decoding twice; memory is short")
    return Refused(Outcome.UNDECODABLE, f"decoding it failed twice: {crash.reason}")


def _over(results: Results, report: Report, request: Request) -> Refused | None:
    """It ran out of what one file is given."""
    if report.killed_for == "time":
        limit = f"{request.limits.deadline_s:g} s"
        return Refused(Outcome.TIMED_OUT, f"decoding it takes longer than {limit}")
    if report.killed_for == "memory":
        limit = f"{request.room.resident_bytes // MIB:,} MiB"
        return Refused(Outcome.OVER_BUDGET, f"decoding it needs more memory than {limit}")
    if report.ended == -signal.SIGXCPU:
        limit = f"{request.cpu_s} s"
        return Refused(Outcome.OVER_BUDGET, f"decoding it needs more processor time than {limit}")
    if report.ended == -signal.SIGXFSZ:
        return Refused(Outcome.OVER_BUDGET, "decoding it writes to the disk")
    if any(word in results.failed or word in report.printed for word in _NO_MEMORY):
        limit = f"{request.room.address_bytes // MIB:,} MiB"
        return Refused(Outcome.OVER_BUDGET, f"decoding it asks for more memory than {limit}")
    return None


def _crash(results: Results, report: Report) -> str:
    if results.failed:
        return results.failed
    if report.ended < 0:
        return f"the decoder crashed ({_name(-report.ended)})"
    return f"the decoder ended with code {report.ended} and no result"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
