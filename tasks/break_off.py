"""Ends a wait for a stranger's bytes once a stopping worker's time is over, or its lease is lost.

A pool process fetches in its main thread, and its ticker looks after it from another. What it waits
in may be a look-up, a handshake, a server that says nothing, or the object storage's client, which
tries again by itself: to close them all takes as many ways, and some have none. A signal ends every
one, as Celery's soft limit does; it is heard only where the ledger is not spoken to.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.drain import Drain, Stopping, drain
from unmask.errors import TryAgain

#: In a pool process Celery uses SIGUSR1 for the soft limit, and this one for nothing.
SIGNAL = signal.SIGUSR2


class _Over(BaseException):
    """No `Exception`: botocore takes those for faults of the network, and tries again."""


class LeaseLost(TryAgain):
    """Another worker has the item by now; it may be at the same host already."""

    def __init__(self) -> None:
        super().__init__("the lease was lost", after_s=0)


class BreakOff:
    """Call it, from any thread, to end what the main thread waits for inside `waiting`.

    Call it again and again: a signal that comes just before a wait begins does not end it.
    """

    def __init__(self, drain: Drain) -> None:
        self._drain, self._hears, self._lost = drain, False, False

    def __call__(self) -> None:
        # Whoever begins to hear after this looks first whether it is over.
        if self._hears:
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)

    def lose(self) -> None:
        """The lease of what is worked on was lost: no wait for its sake goes on, or begins."""
        self._lost = True
        self()

    def begin(self) -> None:
        """Something else is worked on, under a lease of its own."""
        self._lost = False

    def check(self) -> None:
        self._drain.check()
        if self._lost:
            raise LeaseLost

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Whatever is done inside ends with `Stopping` or `LeaseLost` when it must."""
        if threading.current_thread() is not threading.main_thread():
            self.check()  # no other thread hears signals
            yield
            return
        # It stays: without anybody who listens this signal ends a process.
        signal.signal(SIGNAL, self._hear)
        try:
            with self._hearing(True):
                self.check()
                yield
        except _Over:
            raise (Stopping() if self._drain.is_over else LeaseLost()) from None

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Inside `waiting`: what must not be cut off in the middle."""
        with self._hearing(False):
            yield
        self.check()

    @contextmanager
    def _hearing(self, hears: bool) -> Iterator[None]:
        before, self._hears = self._hears, hears
        try:
            yield
        finally:
            self._hears = before

    def _hear(self, *_: object) -> None:
        if self._hears and (self._lost or self._drain.is_over):
            self._hears = False  # while all is closed nothing else comes between
            raise _Over


#: One per process: it has one main thread.
break_off = BreakOff(drain)
