"""dlib's two detectors, called as `face_recognition` calls them: HOG and CNN."""

from typing import Any

import dlib
import numpy as np

from unmask.media.colour import Rgb
from unmask.media.faces.port import Face
from unmask.media.faces.weights import shipped
from unmask.media.values import Box

#: `face_recognition` doubles the picture once before it looks.
_UPSAMPLES = 1


class Hog:
    def __init__(self) -> None:
        self._find = dlib.get_frontal_face_detector()

    def __call__(self, picture: Rgb) -> list[Face]:
        return [_face(found, picture) for found in self._find(_whole(picture), _UPSAMPLES)]


class Cnn:
    def __init__(self) -> None:
        path = shipped("face_recognition_models", "models", "mmod_human_face_detector.dat")
        self._find = dlib.cnn_face_detection_model_v1(str(path))

    def __call__(self, picture: Rgb) -> list[Face]:
        return [_face(found.rect, picture) for found in self._find(_whole(picture), _UPSAMPLES)]


def _whole(picture: Rgb) -> Any:
    return np.ascontiguousarray(picture)


def _face(found: Any, picture: Rgb) -> Face:
    """Trimmed to the picture, as `face_recognition` trims it."""
    height, width = picture.shape[:2]
    left, top = max(found.left(), 0), max(found.top(), 0)
    right, bottom = min(found.right(), width), min(found.bottom(), height)
    return Face(box=Box(x=left, y=top, width=right - left, height=bottom - top))
