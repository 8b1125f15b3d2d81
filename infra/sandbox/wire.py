"""What the worker and the keeper of the room say to each other: one JSON message at a time."""

import dataclasses
import json
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from infra.sandbox.limits import RoomLimits
from unmask.media.holes import Range
from unmask.media.values import Limits
from unmask.spec import ScanSpec

MAX_MESSAGE = 64 << 10

#: The keeper's first message, when the library is warm.
READY = b"ready"
#: A guest's only message: it has its file, and took so many processor seconds until then.
TAKEN = struct.Struct("=d")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One file to look at; the open file and the pipe for results travel beside it."""

    spec: ScanSpec
    limits: Limits
    room: RoomLimits
    #: Where only parts of the file are here; the rest is asked for.
    held: tuple[Range, ...] | None = None

    def to_bytes(self) -> bytes:
        fields = {
            "spec": self.spec.to_json(),
            "limits": dataclasses.asdict(self.limits),
            "room": dataclasses.asdict(self.room),
            "held": self.held,
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        fields = json.loads(data)
        return cls(
            spec=ScanSpec.from_json(fields["spec"]),
            limits=Limits(**fields["limits"]),
            room=RoomLimits(**fields["room"]),
            held=_parts(fields["held"]),
        )

    @property
    def cpu_s(self) -> int:
        return self.room.cpu_s or int(2 * self.limits.deadline_s) + 1


@dataclass(frozen=True, kw_only=True)
class Report:
    """How the process that held the file ended, in the words of its parent."""

    #: 0, an exit code, or minus a signal.
    ended: int
    #: Processor seconds that it took for the file, and before that, while it stood by.
    cpu_s: float = 0.0
    standby_cpu_s: float = 0.0
    #: What it ran out of, so that the keeper ended it: `time`, `memory`, or nothing.
    killed_for: str = ""
    #: Whether it had the file before it ended.
    taken: bool = True
    #: The end of what decoders printed.
    printed: str = ""

    def to_bytes(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        fields: dict[str, Any] = json.loads(data)
        return cls(**fields)


def _parts(listed: list[list[int]] | None) -> tuple[Range, ...] | None:
    return None if listed is None else tuple((start, end) for start, end in listed)


def send(control: socket.socket, data: bytes, handles: Sequence[int] = ()) -> None:
    socket.send_fds(control, [data], list(handles))


def receive(control: socket.socket, handles: int = 0) -> tuple[bytes, list[int]]:
    """A message and its handles; no bytes when the other side is gone."""
    data, received, _flags, _address = socket.recv_fds(control, MAX_MESSAGE, handles)
    return data, received
