"""The scan spec: which frames are looked at, and how a face becomes a clip."""

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, Self

from unmask.errors import Unusable

#: Sequence lengths in use in this family of systems.
SEQUENCE_LENGTHS = (10, 20, 40, 60, 80, 100, 150)

Moments = Literal["windows", "first", "stride"]
Detector = Literal["centerface", "blazeface", "yunet", "hog", "cnn"]
#: A square about the box, the box squashed to a square, or a square that leaves out the forehead.
BoxRule = Literal["square", "squash", "tight"]
Alignment = Literal["none", "eyes"]
NoFace = Literal["drop", "whole_frame", "last_box"]
Coding = Literal["qoi", "jpeg444-q90", "png", "mjpg"]


@dataclass(frozen=True, kw_only=True)
class ScanSpec:
    """Clips made under one spec are never scored as if they were made under another."""

    name: str = "spread"
    #: `windows` spread over the file, the `first` face frames, or every k-th frame (`stride`).
    moments: Moments = "windows"
    #: How many windows at most (1 for `first` and `stride`).
    windows: int = 7
    #: Face frames in a window: the sequence length.
    frames: int = 20
    #: Seconds between two frames of a window; None takes every frame the file has.
    spacing_s: float | None = 0.04
    #: For `stride`: every k-th frame.
    stride: int = 1
    #: People judged at most, the largest faces first.
    persons: int = 4
    detector: Detector = "centerface"
    #: The longer side of the picture the detector sees; more of one wider than 2,048 pixels.
    detector_px: int = 640
    box: BoxRule = "square"
    align: Alignment = "none"
    #: Added on each side of the box, as a share of its side.
    margin: float = 0.1
    #: Side of a face clip.
    size: int = 112
    #: A face with a smaller side in the original is not judged.
    min_face_px: int = 32
    #: Fewer face frames than this are too few to judge a video.
    min_frames: int = 5
    no_face: NoFace = "drop"
    coding: Coding = "qoi"

    def __post_init__(self) -> None:
        for name in ("windows", "frames", "stride", "persons", "size", "min_frames"):
            self._refuse(name, odd=getattr(self, name) < 1)
        self._refuse("margin", odd=self.margin < 0)
        self._refuse("spacing_s", odd=self.spacing_s is not None and self.spacing_s <= 0)
        if self.moments != "windows" and self.windows != 1:
            raise Unusable(f"`{self.moments}` takes one window, not {self.windows}")
        if self.align != "none" and self.box == "squash":
            raise Unusable("a squashed box can't be aligned: use `box: square` or `align: none`")

    def _refuse(self, name: str, *, odd: bool) -> None:
        if odd:
            raise Unusable(f"scan spec: `{name}` is out of range: {getattr(self, name)}")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        unknown = fields.keys() - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise Unusable(f"scan spec has unknown fields: {', '.join(sorted(unknown))}")
        return cls(**fields)

    @functools.cached_property
    def digest(self) -> str:
        """Sixteen hex digits over every field but the name, which is only for people."""
        fields = self.to_json()
        del fields["name"]
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def with_options(
        self,
        *,
        frames: int | None = None,
        first: bool = False,
        stride: int | None = None,
        coding: Coding | None = None,
    ) -> Self:
        """The same spec under a campaign's options."""
        if coding and coding != self.coding:
            recoded = dataclasses.replace(self, name=f"{self.name}-{coding}", coding=coding)
            return recoded.with_options(frames=frames, first=first, stride=stride)
        changes: dict[str, Any] = {"frames": frames or self.frames}
        if first or stride:
            changes |= {"moments": "stride" if stride else "first", "windows": 1}
            changes |= {"stride": stride or 1, "spacing_s": None}
        if changes == {"frames": self.frames}:
            return self
        return dataclasses.replace(self, name=_name(self.name, changes), **changes)


def _name(base: str, changes: dict[str, Any]) -> str:
    moments = changes.get("moments", "windows")
    step = f"-{changes['stride']}" if moments == "stride" else ""
    return f"{base}-{moments}{step}-{changes['frames']}"


#: The papers' way, quirks and all.
PAPERS = ScanSpec(
    name="papers",
    moments="first",
    windows=1,
    frames=150,
    spacing_s=None,
    persons=1,
    detector="hog",
    box="squash",
    margin=0.0,
    min_face_px=1,
    min_frames=1,
    no_face="whole_frame",
    # There a face goes from its frame into the network; it is never coded.
    coding="qoi",
)

#: The papers' way to training clips: groups of four of the first 151 frames make 148.
PAPERS_TRAINING = dataclasses.replace(
    PAPERS, name="papers-training", detector="cnn", frames=148, no_face="last_box", coding="mjpg"
)
