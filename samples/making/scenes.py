"""The scenes that are more than one talking person."""

from collections.abc import Iterator

import cv2
import numpy as np

from samples.making.camera import film
from samples.making.files import RATE
from samples.making.portraits import Picture, Portrait, scikit_image

#: A row of a picture is a multiple of 64 bytes: with padded rows the coded bytes differ each time.
_CALL_WIDTH, _CALL_HEIGHT, _GUTTER = 832, 480, 8
#: A wall in a gallery, its paint, its spotlight, and the grain of the photograph.
_WALL_WIDTH, _WALL_HEIGHT = 640, 480
_PAINT, _SPOTLIGHT, _GRAIN = (148, 160, 152), 0.35, 2.0
#: What hangs there: the width of the mount and of the wooden frame.
_MOUNT, _WOOD = 9, 7


def call(left: Portrait, right: Portrait, *, frames: int) -> Iterator[Picture]:
    """Two people in a video call, side by side."""
    size = ((_CALL_WIDTH - 3 * _GUTTER) // 2 // 2 * 2, _CALL_HEIGHT - 2 * _GUTTER)
    films = [
        film(person, size=size, frames=frames, rate=RATE, offset_s=offset_s)
        for person, offset_s in ((left, 1.7), (right, 4.1))
    ]
    for faces in zip(*films, strict=True):
        screen = np.full((_CALL_HEIGHT, _CALL_WIDTH, 3), 24, np.uint8)
        for place, face in enumerate(faces):
            start = _GUTTER + place * (size[0] + _GUTTER)
            screen[_GUTTER : _GUTTER + size[1], start : start + size[0]] = face
        yield screen


def pan(*, size: tuple[int, int], frames: int) -> Iterator[Picture]:
    """A rocket at dusk; the camera goes slowly from left to right and comes nearer."""
    rocket = scikit_image("rocket.jpg")
    tall, wide = rocket.shape[:2]
    for share in np.linspace(0, 1, frames):
        height = tall * (0.92 - 0.12 * share)
        scale = size[1] / height
        left = (wide - size[0] / scale) * (0.1 + 0.7 * share)
        top = (tall - height) * 0.8
        view = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        yield np.asarray(cv2.warpAffine(rocket, view, size, flags=cv2.INTER_CUBIC), np.uint8)


def gallery(person: Portrait) -> Picture:
    """Pictures on a wall; in the smallest one there is a person."""
    wall = _lit_wall()
    square = person.picture[: person.picture.shape[1]]
    _hang(wall, scikit_image("rocket.jpg"), left=28, top=110, width=210)
    _hang(wall, square, left=282, top=133, width=118)
    _hang(wall, scikit_image("coffee.png"), left=446, top=120, width=136)
    _hang(wall, scikit_image("hubble_deep_field.jpg"), left=446, top=266, width=136)
    return wall


def _lit_wall() -> Picture:
    right, down = np.meshgrid(np.linspace(-1, 1, _WALL_WIDTH), np.linspace(-0.6, 1.2, _WALL_HEIGHT))
    light = 1 + _SPOTLIGHT * (np.exp(-(right**2) - down**2) - 0.5)
    grain = np.random.default_rng(0).normal(0, _GRAIN, light.shape)
    painted = light[..., None] * np.array(_PAINT) + grain[..., None]
    return np.asarray(np.clip(painted, 0, 255), np.uint8)


def _hang(wall: Picture, picture: Picture, *, left: int, top: int, width: int) -> None:
    size = (width, width * picture.shape[0] // picture.shape[1])
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    framed = _bordered(_bordered(small, _MOUNT, (236, 232, 222)), _WOOD, (52, 34, 22))
    wall[top : top + framed.shape[0], left : left + framed.shape[1]] = framed


def _bordered(picture: Picture, width: int, colour: tuple[int, int, int]) -> Picture:
    edges = (width, width, width, width)
    return np.asarray(
        cv2.copyMakeBorder(picture, *edges, cv2.BORDER_CONSTANT, value=colour), np.uint8
    )
