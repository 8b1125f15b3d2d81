"""Which processes belong to a test, told by a variable in their environment."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Process:
    pid: int
    command: str

    def kill(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def of_marker(marker: str) -> list[Process]:
    return [
        process
        for process in _all(f"TEST_MARKER={marker}\0".encode())
        if not _is_zombie(process.pid)
    ]


def _all(needle: bytes) -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (folder / "environ").read_bytes() + b"\0":
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                yield Process(pid=int(folder.name), command=words.decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def _is_zombie(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
