"""How a worker that is told to stop reaches what it already started.

The main process writes one number into memory that its pool children share; whoever works on an
item looks at it between steps and gives the item back once the time is over.
"""

import mmap
import struct
import time

from unmask.errors import TryAgain

_CELL = struct.Struct("d")


class Stopping(TryAgain):
    """The worker is stopping; the item goes back without a charge."""

    def __init__(self) -> None:
        super().__init__("the worker is stopping", after_s=0)


class Drain:
    """Shared between a process and the children it forks afterwards."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _CELL.size)

    def start(self, within_s: float) -> None:
        _CELL.pack_into(self._memory, 0, time.monotonic() + within_s)

    @property
    def started(self) -> bool:
        return self._deadline() > 0

    @property
    def is_over(self) -> bool:
        return 0 < self._deadline() <= time.monotonic()

    def check(self) -> None:
        if self.is_over:
            raise Stopping

    def _deadline(self) -> float:
        deadline: float = _CELL.unpack_from(self._memory, 0)[0]
        return deadline


#: One per worker, made before the pool forks.
drain = Drain()
