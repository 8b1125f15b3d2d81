"""What the media core says about a file: frozen values, JSON in and out."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Literal

from unmask.outcomes import Outcome

MANIFEST_VERSION = 2

MediaKind = Literal["video", "picture", "animation"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one file may cost at most."""

    max_pixels: int = 64_000_000
    max_duration_s: float = 6 * 3600
    max_bytes: int = 4 << 30
    #: Seconds that decoding may take, by the wall clock.
    deadline_s: float = 300
    #: Memory that decoding may take beyond what the process held before.
    memory_bytes: int = 1 << 30
    #: What the process held before, in bytes; None for the most that it has held so far.
    memory_before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Box:
    """A face in pixels of the picture as shown (after rotation and pixel aspect)."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What probing tells before anything is decoded in earnest."""

    kind: MediaKind
    container: str
    codec: str
    width: int
    height: int
    #: None for a picture, and where the file does not say.
    duration_s: float | None = None
    frame_rate: float | None = None
    rotation: int = 0


@dataclass(frozen=True, kw_only=True)
class FaceFrame:
    """One face at one moment; `offset` and `length` find its picture inside the clip object."""

    window: int
    time_s: float
    box: Box
    #: The shorter side of the box in the original.
    face_px: int
    sharpness: float
    #: True where a detector saw it, False where it was tracked.
    detected: bool
    offset: int
    length: int
    #: The box is turned by so many degrees round its middle, clockwise as seen (`align: eyes`).
    tilt: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in the file: all face frames, in order, in one clip object."""

    person: int
    clip_sha256: str
    clip_bytes: int
    frames: tuple[FaceFrame, ...]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The bytes of one person's clip object."""

    person: int
    sha256: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything extraction found; any clip frame can be traced to its moment and box."""

    media: MediaInfo
    spec_digest: str
    size: int
    persons: tuple[Person, ...]
    #: People found beyond the bound, not judged.
    left_out: int = 0
    #: Faces the detector saw, over all frames it looked at.
    faces_seen: int = 0
    frames_decoded: int = 0
    #: Share of face-time that lies within the windows looked at.
    coverage: float = 0.0
    #: Set where there is nothing to classify: no_face, too_small or too_short.
    outcome: Outcome | None = None
    reason: str = ""
    #: True where the file broke off and only its beginning was decoded.
    partial: bool = False
    notes: tuple[str, ...] = ()
    version: int = MANIFEST_VERSION

    @property
    def share_seen(self) -> float | None:
        """`coverage`; unknown, not zero, where the file does not say how long it is."""
        unknown = self.media.duration_s is None and self.media.kind != "picture"
        return None if unknown else self.coverage

    def to_bytes(self) -> bytes:
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":")).encode()
