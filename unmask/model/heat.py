"""Heat: where in a face the model found its reasons, laid over the face and over the frame.

Grad-CAM on the trunk's last stage. A frame's feature is the mean of that stage's map, so the
gradient at the feature is all that is needed; nothing runs backwards through the trunk.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.values import Box
from unmask.model.clips import Frames, Window
from unmask.model.description import Judged

#: (s, s), from 0 (no reason) to 1 (the strongest in this face).
HeatMap = NDArray[np.float32]
#: How much of the picture the hottest spot hides, and below what nothing is drawn.
_COVER = 0.6
_FLOOR = 0.15
#: Colour of the box around a face.
_FRAME = (255, 196, 0)


class Warmed(NamedTuple):
    """A window of a picture or a film, and which of its frames to look at."""

    kind: Judged
    window: Window
    frames: Sequence[int]


def scaled(cam: NDArray[np.float32]) -> HeatMap:
    """Each face on its own scale: heat says where, the score beside it says how much."""
    strongest = float(cam.max())
    return cam / np.float32(strongest) if strongest > 0 else cam


def overlay(face: Frames, heat: HeatMap) -> Frames:
    """The picture, warm where the reasons are."""
    strength = _spread(heat, face.shape[1], face.shape[0])
    colours = cv2.applyColorMap((strength * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    cover = (_COVER * np.clip((strength - _FLOOR) / (1 - _FLOOR), 0, 1))[..., None]
    mixed: Frames = (face * (1 - cover) + colours[..., ::-1] * cover).astype(np.uint8)
    return mixed


def on_frame(frame: Frames, box: Box, heat: HeatMap) -> Frames:
    """Heat back where the face is in the whole frame, the face's box drawn around it."""
    shown = frame.copy()
    left, top = max(0, round(box.x)), max(0, round(box.y))
    right = min(frame.shape[1], round(box.x + box.width))
    foot = min(frame.shape[0], round(box.y + box.height))
    if right <= left or foot <= top:
        return shown
    whole = _spread(heat, max(1, round(box.width)), max(1, round(box.height)))
    inside = whole[top - round(box.y) :, left - round(box.x) :][: foot - top, : right - left]
    rows, columns = inside.shape
    region = shown[top : top + rows, left : left + columns]
    shown[top : top + rows, left : left + columns] = overlay(region, inside)
    cv2.rectangle(shown, (left, top), (right - 1, foot - 1), _FRAME, 2)
    return shown


def _spread(heat: HeatMap, width: int, height: int) -> HeatMap:
    """Linear: it never goes beyond the strongest, so the hottest spot is the same at any size."""
    wide = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, dtype=np.float32)
