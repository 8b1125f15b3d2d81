"""Puts a process into the room. Every lock the kernel has is used; none is needed for the next."""

import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from infra.sandbox import landlock, seccomp
from infra.sandbox.kernel import (
    MACHINE,
    drop_capabilities,
    no_new_privileges,
    not_dumpable,
)
from infra.sandbox.wire import Request

#: The kernel's memory killer takes the room before the worker.
_OOM_FIRST = b"1000"


@dataclass(frozen=True)
class Locks:
    """What shuts this process in: made while it waits for its file, as that takes time."""

    ruleset: int | None
    filter: bytes | None

    @classmethod
    def made(cls, ruleset: int | None) -> Self:
        """In the very process that is to be shut in."""
        _first_to_go()
        steps = seccomp.program(MACHINE, os.getpid(), may_open=ruleset is not None)
        held = seccomp.packed(steps) if steps and seccomp.available() else None
        return cls(ruleset=ruleset, filter=held)

    def close(self, request: Request) -> None:
        """There is no way back: call it in a process of the file's own, which has one thread."""
        not_dumpable()
        _bound(request)
        no_new_privileges()
        with suppress(OSError):  # not root, or no such call: seccomp holds all the same
            drop_capabilities()
        if self.ruleset is not None:
            landlock.restrict(self.ruleset)
        if self.filter is not None:
            seccomp.install(self.filter)


def _first_to_go() -> None:
    """While the process may be looked into: afterwards only root may write what is its own."""
    with suppress(OSError):
        handle = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        try:
            os.write(handle, _OOM_FIRST)
        finally:
            os.close(handle)


def _bound(request: Request) -> None:
    room = request.room
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, room.file_bytes)
    _limit(resource.RLIMIT_NOFILE, room.open_files)
    _limit(resource.RLIMIT_AS, room.address_bytes)
    _limit(resource.RLIMIT_CPU, request.cpu_s, spare=1)


def _limit(kind: int, most: int, *, spare: int = 0) -> None:
    """Never above what the machine grants; `spare` is between the signal and the kill."""
    _, granted = resource.getrlimit(kind)
    hard = most + spare if granted == resource.RLIM_INFINITY else min(most + spare, granted)
    resource.setrlimit(kind, (min(most, hard), hard))
