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
from unmask.media.faces.port import Point
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
_EYE_CORNERS = 4
#: Side of the grey pictures that are compared to see whether two portraits are of one scene.
_SCENE = 32

Encoding = NDArray[np.float64]


def portrait(picture: Picture, face: Box) -> Rgb:
    return picture.crop(square_around(face, max(face.width, face.height) / _SHARE), SIDE)[0]


def encoding(of: Rgb) -> Encoding:
    """128 numbers; two pictures of one person are nearer than 0.6."""
    picture = np.ascontiguousarray(of)
    chip = dlib.get_face_chip(picture, _landmarks(picture), _CHIP, _ROOM)
    return np.asarray(models()[1].compute_face_descriptor(chip))


def eyes(picture: Picture, face: Box) -> tuple[Point, Point]:
    """The middles of the two eyes in the picture as shown, the left one as seen first."""
    around = square_around(face, max(face.width, face.height) / _SHARE)
    near, region = picture.crop(around, SIDE)
    found = _landmarks(near)
    corners = [(found.part(index).x, found.part(index).y) for index in range(_EYE_CORNERS)]
    x, y = region.width / SIDE, region.height / SIDE
    one, other = (
        (
            region.x + (a[0] + b[0] + 1) / 2 * x,
            region.y + (a[1] + b[1] + 1) / 2 * y,
        )
        for a, b in (corners[:2], corners[2:])
    )
    return min(one, other), max(one, other)


def _landmarks(portrait: Rgb) -> Any:
    """Two corners of each eye, and the nose."""
    edge = SIDE * (1 - _SHARE) / 2
    corners = (round(side) for side in (edge, edge, SIDE - edge, SIDE - edge))
    return models()[0](portrait, dlib.rectangle(*corners))


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
