"""The papers' preprocessing, frame by frame, with its quirks.

- Every frame is searched at full size, from the first on; nothing is tracked.
- Only the first face that the detector names is taken, not the largest.
- Its box is cut without margin and squashed to a square, bilinear, without antialiasing.
- A frame without a face is cut where the last face was (training; it is dropped where there was
  none yet), or it is dropped, or the whole frame takes its place (prediction).
- Frames are counted, not timed: the first N, or every k-th, whatever the frame rate.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from av import VideoFrame

from unmask.media.colour import Rgb
from unmask.media.faces.port import Detector
from unmask.media.picture import Picture
from unmask.media.values import Box
from unmask.spec import ScanSpec


def is_papers(spec: ScanSpec) -> bool:
    return spec.detector in {"hog", "cnn"} and spec.box == "squash" and spec.moments != "windows"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The squashed picture, what it shows of the picture as shown, and whether that is a face."""

    picture: Rgb
    box: Box
    found: bool


class PapersEye:
    """Looks at one frame after another, and remembers where the last face was."""

    def __init__(self, find: Detector, spec: ScanSpec) -> None:
        self._find = find
        self._spec = spec
        self._last: Box | None = None

    def take(self, picture: Picture) -> Taken | None:
        whole = whole_rgb(picture)
        faces = self._find(whole)
        if faces:
            self._last = faces[0].box
        box = self._last if faces else self._instead(whole)
        if box is None:
            return None
        cut = squashed(whole, box, self._spec.size)
        return Taken(picture=cut, box=_as_shown(box, whole, picture), found=bool(faces))

    def _instead(self, whole: Rgb) -> Box | None:
        """What is cut of a frame without a face."""
        if self._spec.no_face == "whole_frame":
            return Box(x=0, y=0, width=whole.shape[1], height=whole.shape[0])
        return self._last if self._spec.no_face == "last_box" else None


def _as_shown(box: Box, whole: Rgb, picture: Picture) -> Box:
    """OpenCV's reader leaves pixels as flat as they are coded, and knows no fields."""
    (height, width), shown = whole.shape[:2], picture.view.size
    x, y = shown[0] / width, shown[1] / height
    return Box(x=box.x * x, y=box.y * y, width=box.width * x, height=box.height * y)


def squashed(whole: Rgb, box: Box, size: int) -> Rgb:
    left, top = int(box.x), int(box.y)
    cut = whole[top : top + int(box.height), left : left + int(box.width)]
    return np.asarray(cv2.resize(cut, (size, size)), dtype=np.uint8)


def whole_rgb(picture: Picture) -> Rgb:
    """The full frame as OpenCV's reader gives it."""
    if not isinstance(picture.owner, VideoFrame):
        return picture.small_rgb(max(picture.view.size))
    whole = picture.owner.to_ndarray(format="rgb24", interpolation="BICUBIC")
    return np.ascontiguousarray(picture.view.shown(np.asarray(whole, dtype=np.uint8)))
