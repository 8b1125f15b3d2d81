"""68 points on each face crop, by dlib's predictor that `face_recognition_models` carries."""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.faces.weights import shipped
from unmask.train.crops import Crops, Rgb

Points = NDArray[np.float32]

#: The predictor reads pictures twice as large better.
_ENLARGED = 2
#: Where dlib's own detector sees the face in a tight crop, as shares of its side.
_FACE = (0.045, 0.045, 1.0, 1.0)


def landmarks(crops: Crops, cache: Path) -> Points:
    """(N, 68, 2) in pixels of the crops, kept for the next time; rows of fakes are zero."""
    cache_file = cache / f"landmarks-{crops.digest}.npy"
    if cache_file.exists():
        return np.asarray(np.load(cache_file, mmap_mode="r"))
    found = np.zeros((len(crops), 68, 2), np.float32)
    for index in crops.where(fake=False):
        found[index] = points_of(crops.pictures[index])
    with cache_file.with_suffix(".part").open("wb") as file:
        np.save(file, found)
    cache_file.with_suffix(".part").rename(cache_file)
    return found


def points_of(picture: Rgb) -> Points:
    side = picture.shape[0] * _ENLARGED
    large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    shape = _predictor()(np.ascontiguousarray(large), _rectangle(side))
    points = [(shape.part(i).x, shape.part(i).y) for i in range(shape.num_parts)]
    return np.array(points, np.float32) / np.float32(_ENLARGED)


def _rectangle(side: int) -> Any:
    import dlib

    return dlib.rectangle(*(round(share * side) for share in _FACE))


@cache
def _predictor() -> Any:
    import dlib

    file = "shape_predictor_68_face_landmarks.dat"
    return dlib.shape_predictor(str(shipped("face_recognition_models", "models", file)))
