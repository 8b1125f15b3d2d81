"""Many files, each looked at twice; what must never happen is told by name."""

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.sandbox import Room
from tests.fuzz.look import LIMITS, SLACK_S, Seen, look
from unmask.errors import UnmaskError

File = tuple[str, bytes]
#: A file's name, and what came of it both times, or why nothing did.
Twice = tuple[str, tuple[Seen, Seen] | str]


@dataclass(kw_only=True)
class Found:
    """What came of it. `faults` must stay empty."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    #: Decoders that fell over, each in a room of its own: an outcome, and worth knowing.
    crashes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, name: str, first: Seen, second: Seen) -> None:
        self.files += 1
        self.outcomes[first.outcome] += 1
        self.slowest = max(self.slowest, (max(first.seconds, second.seconds), name))
        if first.crashed:
            self.crashes.append(f"{name}: {first.reason}")
        if first.outcome != second.outcome:
            self.faults.append(f"{name}: {first.outcome}, and then {second.outcome}")
        if self.slowest[0] > 2 * LIMITS.deadline_s + SLACK_S:
            self.faults.append(f"{self.slowest[1]}: took {self.slowest[0]:.1f} s")


def campaign(files: Iterable[File], rooms: int = 1) -> Found:
    """In as many rooms at once; leaves the temporary folder as it was: empty."""
    found, shared = Found(), _Shared(files)
    with _temporary_folder() as folder, ThreadPoolExecutor(rooms) as pool:
        for part in pool.map(lambda _: _in_one_room(shared), range(rooms)):
            for name, seen in part:
                if isinstance(seen, str):
                    found.faults.append(f"{name}: {seen}")
                else:
                    found.add(name, *seen)
        found.faults += [f"left behind: {path.name}" for path in folder.iterdir()]
    return found


class _Shared:
    """One iterator that many threads take from."""

    def __init__(self, files: Iterable[File]) -> None:
        self._files, self._lock = iter(files), threading.Lock()

    def __iter__(self) -> Iterator[File]:
        while True:
            with self._lock:
                one = next(self._files, None)
            if one is None:
                return
            yield one


def _in_one_room(files: Iterable[File]) -> list[Twice]:
    with Room() as room:
        return [_twice(room, name, data) for name, data in files]


def _twice(room: Room, name: str, data: bytes) -> Twice:
    try:
        return name, (look(room, data), look(room, data))
    except (UnmaskError, AssertionError, RuntimeError) as error:
        return name, f"{type(error).__name__}: {error}"


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """The system's temporary folder, for as long as this lasts, is a new one."""
    with tempfile.TemporaryDirectory(prefix="unmask-fuzz-") as folder:
        before = tempfile.tempdir, os.environ.get("TMPDIR")
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before[0]
            if before[1] is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before[1]
