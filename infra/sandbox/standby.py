"""A guest that was forked ahead of its file: what a fork costs is paid while nobody waits."""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Self

from infra.sandbox.kernel import die_with_parent
from infra.sandbox.wire import TAKEN, send

#: No guest takes as long to be ready, unless the machine stands still. Twice this is less than a
#: worker waits beyond a file's end (`link.SLACK_S`).
TAKEN_S = 4.0


@dataclass(frozen=True, kw_only=True)
class Standby:
    pid: int
    #: What its decoders print.
    printed: int
    door: socket.socket

    @classmethod
    def fork(cls, keepers: socket.socket, wait: Callable[[socket.socket, int], NoReturn]) -> Self:
        """`keepers` is the one handle that no guest may hold."""
        printed, keeper = os.memfd_create("printed"), os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = os.fork()
            if pid == 0:
                _end_with(keeper)
                keepers.close()
                ours.close()
                wait(theirs, printed)
        return cls(pid=pid, printed=printed, door=ours)

    def hand_over(self, request: bytes, handles: Sequence[int]) -> float | None:
        """Processor seconds that it took while it waited; None where it has died of something."""
        try:
            self.door.settimeout(TAKEN_S)
            send(self.door, request, handles)
            word = self.door.recv(TAKEN.size)
        except OSError:
            return None
        finally:
            self.door.close()
        if not word:
            return None
        (seconds,) = TAKEN.unpack(word)
        return float(seconds)

    def dismiss(self) -> None:
        self.door.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.printed)


def _end_with(keeper: int) -> None:
    """Where the keeper ended before this was said, nobody would tell."""
    die_with_parent(signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)
