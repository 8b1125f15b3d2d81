"""What one file may still cost, checked as it is spent."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from unmask.errors import Refused
from unmask.media.values import Limits
from unmask.outcomes import Outcome


def peak_memory() -> int:
    """The most that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Budget:
    """A deadline that began when this was made, memory counted from then on, the largest picture.

    Memory is what the process holds beyond its highest mark of before: all of it in a process made
    for one file, and never too much in another. Whoever met memory ahead of the file tells what
    was held before that (`Limits.memory_before`), else it would be given on top.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        memory: Callable[[], int] = peak_memory,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._ends = clock() + limits.deadline_s
        self._memory = memory
        before = memory() if limits.memory_before is None else limits.memory_before
        self._most = before + limits.memory_bytes

    def check(self) -> None:
        """Between two steps of decoding: says which of time and memory ran out."""
        if self._clock() > self._ends:
            allowed = f"{self._limits.deadline_s:g} s"
            raise Refused(
                Outcome.TIMED_OUT, f"decoding ran out of time: it did not end within {allowed}"
            )
        if self._memory() > self._most:
            allowed = f"{self._limits.memory_bytes / (1 << 20):,.0f} MB"
            raise Refused(
                Outcome.OVER_BUDGET, f"decoding ran out of memory: it took more than {allowed}"
            )

    def check_size(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels:
            raise Refused(
                Outcome.TOO_LARGE,
                f"{width}×{height} is more than {self._limits.max_pixels:,} pixels",
            )

    def check_duration(self, seconds: float | None) -> None:
        if seconds is not None and seconds > self._limits.max_duration_s:
            raise Refused(
                Outcome.TOO_LARGE,
                f"{seconds:,.0f} s is longer than the {self._limits.max_duration_s:,.0f} s allowed",
            )

    def check_bytes(self, count: int) -> None:
        if count > self._limits.max_bytes:
            raise Refused(
                Outcome.TOO_LARGE, f"{count:,} bytes are more than {self._limits.max_bytes:,}"
            )


@contextmanager
def memory_is_an_outcome() -> Iterator[None]:
    """A decoder that asks for more memory than there is has run out of its room."""
    try:
        yield
    except MemoryError as error:
        words = str(error) or "no more memory"
        raise Refused(Outcome.OVER_BUDGET, f"decoding ran out of memory: {words}") from error
