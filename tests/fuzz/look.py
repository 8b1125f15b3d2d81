"""One file in the room, and in what typed outcome it ended."""

import tempfile
import time
from dataclasses import dataclass

from infra.sandbox import Room
from infra.sandbox.more import More
from unmask.errors import Refused
from unmask.media.values import Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

#: Small, so that a file costs little; every road through the decoders is taken all the same.
SPEC = ScanSpec(windows=1, frames=4, min_frames=2, detector_px=160)
LIMITS = Limits(deadline_s=5)
#: From the deadline to the answer: the kill, and a busy machine.
SLACK_S = 5.0

#: What a bad file may become. An error of our own would be raised.
TYPED = {
    Outcome.NOT_MEDIA,
    Outcome.UNDECODABLE,
    Outcome.TOO_LARGE,
    Outcome.TIMED_OUT,
    Outcome.OVER_BUDGET,
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    #: The outcome's name, or `looked at`.
    outcome: str
    reason: str
    seconds: float

    @property
    def crashed(self) -> bool:
        """The decoder fell over, in its room, twice."""
        return "crashed" in self.reason


def look(room: Room, data: bytes, more: More | None = None) -> Seen:
    started = time.monotonic()
    outcome, reason = _outcome(room, data, more)
    return Seen(outcome=outcome, reason=reason, seconds=time.monotonic() - started)


def _outcome(room: Room, data: bytes, more: More | None) -> tuple[str, str]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            *_, manifest = room.extract(file, SPEC, LIMITS, more)
        except Refused as refused:
            return _typed(refused)
    assert isinstance(manifest, Manifest)
    return "looked at", manifest.reason


def _typed(refused: Refused) -> tuple[str, str]:
    assert refused.outcome in TYPED, refused
    return str(refused.outcome), refused.reason
