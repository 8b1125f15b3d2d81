"""YuNet through OpenCV, where the user names its weights: no package ships them."""

import os
from pathlib import Path
from typing import Any

import cv2

from unmask.errors import Unusable
from unmask.media.colour import Rgb
from unmask.media.faces.port import Face
from unmask.media.values import Box

#: Names the file `face_detection_yunet_….onnx`.
WEIGHTS = "UNMASK_YUNET_WEIGHTS"
_THRESHOLD = 0.6
_OVERLAP = 0.3


class YuNet:
    def __init__(self) -> None:
        path = os.environ.get(WEIGHTS, "")
        if not Path(path).is_file():
            raise Unusable(f"YuNet needs its weights: set {WEIGHTS} to the ONNX file")
        self._net = cv2.FaceDetectorYN.create(path, "", (320, 320), _THRESHOLD, _OVERLAP)

    def __call__(self, picture: Rgb) -> list[Face]:
        self._net.setInputSize((picture.shape[1], picture.shape[0]))
        rows: Any = self._net.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
        return [] if rows is None else [_face([float(cell) for cell in row]) for row in rows]


def _face(row: list[float]) -> Face:
    """x, y, width, height, five points, score; YuNet names the person's right eye first."""
    points = tuple((row[place], row[place + 1]) for place in range(4, 14, 2))
    return Face(
        box=Box(x=row[0], y=row[1], width=row[2], height=row[3]), score=row[14], landmarks=points
    )
