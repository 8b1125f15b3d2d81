"""Heat: where in a face the model found its reasons, laid over the face and over the frame.

Grad-CAM on the trunk's last stage. A frame's feature is the mean of that stage's map, so the
gradient at the feature is all that is needed; nothing runs backwards through the trunk.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.model.clips import Frames

#: (s, s), from 0 (no reason) to 1 (the strongest of the frames looked at).
HeatMap = NDArray[np.float32]

#: How much of the picture the hottest spot hides, and below what nothing is drawn.
_COVER = 0.6
_FLOOR = 0.15


def scaled(cams: Sequence[NDArray[np.float32]]) -> list[HeatMap]:
    """One scale for all, so that a frame with weak reasons looks weak."""
    strongest = max((float(cam.max()) for cam in cams), default=0.0)
    return [(cam / strongest if strongest > 0 else cam).astype(np.float32) for cam in cams]


def overlay(face: Frames, heat: HeatMap) -> Frames:
    """The picture, warm where the reasons are."""
    spread = cv2.resize(heat, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(spread, 0, 1)
    colours = cv2.applyColorMap((strength * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    cover = (_COVER * np.clip((strength - _FLOOR) / (1 - _FLOOR), 0, 1))[..., None]
    mixed: Frames = (face * (1 - cover) + colours[..., ::-1] * cover).astype(np.uint8)
    return mixed
