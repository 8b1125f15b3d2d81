"""What of the room is in force on this machine, for `doctor`: its locks are tried from inside."""

import json
import tempfile

from infra.sandbox.room import Room
from unmask.errors import Refused
from unmask.media.values import Limits
from unmask.spec import ScanSpec

_DEADLINE_S = 20


def in_force() -> dict[str, bool]:
    """Each promise of the room, and whether this machine's kernel keeps it."""
    with (
        Room(extractor="infra.sandbox.locks") as room,
        tempfile.TemporaryFile() as file,
    ):
        try:
            room.extract(file, ScanSpec(), Limits(deadline_s=_DEADLINE_S))
        except Refused as refusal:
            found: dict[str, bool] = json.loads(refusal.reason)
            return found
    raise AssertionError("the probe always ends in a refusal")
