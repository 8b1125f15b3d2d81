"""The papers' preprocessing, frame by frame, with its quirks.

- Every frame is searched at full size, from the first on; nothing is tracked.
- Only the first face that the detector names is taken, not the largest.
- Its box is cut without margin and squashed to a square, bilinear, without antialiasing.
- A frame without a face is dropped for training; for prediction the whole frame takes its place.
- Frames are counted, not timed: the first N, or every k-th, whatever the frame rate.
"""

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


def first_face(picture: Picture, find: Detector, spec: ScanSpec) -> tuple[Rgb, Box, bool] | None:
    """The squashed face, its box and True; the whole frame and False; or nothing."""
    whole = whole_rgb(picture)
    faces = find(whole)
    if faces:
        return squashed(whole, faces[0].box, spec.size), faces[0].box, True
    if spec.no_face == "drop":
        return None
    box = Box(x=0, y=0, width=whole.shape[1], height=whole.shape[0])
    return squashed(whole, box, spec.size), box, False


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
