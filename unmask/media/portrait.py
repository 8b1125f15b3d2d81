"""A face with its surroundings, and the numbers that tell one person from another.

Encodings live in memory only, for as long as one file is looked at; they are never stored.
"""

from functools import cache
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from unmask.media.colour import Rgb
from unmask.media.faces.weights import shipped
from unmask.media.geometry import square_around
from unmask.media.picture import Picture
from unmask.media.values import Box

#: Side of a portrait, and the share of it that the face takes.
SIDE = 200
_SHARE = 0.5
#: Side of the picture that the encoder was trained on, and the room round the face in it.
_CHIP = 150
_ROOM = 0.25
#: Side of the grey pictures that are compared to see whether two portraits are of one scene.
_SCENE = 32

Encoding = NDArray[np.float64]


def portrait(picture: Picture, face: Box) -> Rgb:
    return picture.crop(square_around(face, max(face.width, face.height) / _SHARE), SIDE)[0]


def encoding(of: Rgb) -> Encoding:
    """128 numbers; two pictures of one person are nearer than 0.6."""
    edge = SIDE * (1 - _SHARE) / 2
    corners = (round(side) for side in (edge, edge, SIDE - edge, SIDE - edge))
    points, encoder = models()
    picture = np.ascontiguousarray(of)
    chip = dlib.get_face_chip(picture, points(picture, dlib.rectangle(*corners)), _CHIP, _ROOM)
    return np.asarray(encoder.compute_face_descriptor(chip))


@cache
def models() -> tuple[Any, Any]:
    """dlib's five-point predictor and face encoder, as `face_recognition_models` carries them."""
    files = ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat")
    points, encoder = (shipped("face_recognition_models", "models", name) for name in files)
    return dlib.shape_predictor(str(points)), dlib.face_recognition_model_v1(str(encoder))


def likeness(one: Rgb, other: Rgb) -> float:
    """Correlation of two portraits, surroundings included: near 1 in one unbroken scene."""
    pictures = [
        cv2.cvtColor(
            cv2.resize(each, (_SCENE, _SCENE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
        )
        for each in (one, other)
    ]
    return float(cv2.matchTemplate(pictures[0], pictures[1], cv2.TM_CCOEFF_NORMED)[0, 0])
