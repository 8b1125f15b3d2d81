"""A portrait under a pose → one frame: camera, head, jaw and eyelids as one smooth warp."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from samples.making.motion import Pose, pose
from samples.making.portraits import Landmarks, Picture, Portrait

Field = NDArray[np.float32]

#: How far the jaw drops when the mouth is wide open, in face widths.
_JAW_DROP = 0.065
#: How much red, green and blue an open mouth swallows.
_MOUTH_TAKES = (0.6, 0.75, 0.75)
#: From wide open to closed, in heights of the eye.
_LID_TRAVEL = 1.55
#: How much light the lashes take.
_LASHES = 0.6
#: The head as an ellipse round the middle of the face, in face widths.
_HEAD_WIDTH, _HEAD_HEIGHT = 0.95, 1.05
#: The noise of a small sensor, in grey levels.
_SENSOR_NOISE = 1.2


@dataclass(kw_only=True)
class _Places:
    """For every pixel of a frame, the place in the portrait it shows."""

    x: Field = field(repr=False)
    y: Field = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Lid:
    """An eyelid's skin is borrowed from below the eye, so many pixels down."""

    borrowed_from: np.float32
    cover: Field = field(repr=False)
    lashes: Field = field(repr=False)


def film(
    portrait: Portrait, *, size: tuple[int, int], frames: int, rate: int, offset_s: float = 0.0
) -> Iterator[Picture]:
    """The portrait, talking."""
    noise = np.random.default_rng(frames)
    for number in range(frames):
        yield shot(portrait, pose(number / rate, offset_s), size=size, noise=noise)


def shot(
    portrait: Portrait, at: Pose, *, size: tuple[int, int], noise: np.random.Generator
) -> Picture:
    face = portrait.landmarks
    places = _camera(portrait, at, size)
    _turn_head(places, face, at)
    mouth = _drop_jaw(places, face, at)
    seen = _seen(portrait, places)
    for eye in ("left_eye", "right_eye"):
        lid = _lid(places, face, eye, at.eyelid)
        skin = _seen(portrait, _Places(x=places.x, y=places.y + lid.borrowed_from))
        seen = seen * (1 - lid.cover) + skin * lid.lashes * lid.cover
    lit = seen * mouth * _light(at, size) + noise.normal(0, _SENSOR_NOISE, seen.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _seen(portrait: Portrait, places: _Places) -> Field:
    seen = cv2.remap(
        portrait.picture, places.x, places.y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(seen, np.float32)


def _camera(portrait: Portrait, at: Pose, size: tuple[int, int]) -> _Places:
    """The hand that holds the camera: a zoom, a turn and a shift of everything."""
    width, height = size
    step = portrait.view_height / at.zoom / height
    right, down = np.meshgrid(
        (np.arange(width, dtype=np.float32) - width / 2) * step,
        (np.arange(height, dtype=np.float32) - height / 2) * step,
    )
    cos, sin = math.cos(at.camera_tilt), math.sin(at.camera_tilt)
    face = portrait.landmarks.width
    return _Places(
        x=right * cos - down * sin + np.float32(portrait.middle[0] + at.camera_x * face),
        y=right * sin + down * cos + np.float32(portrait.middle[1] + at.camera_y * face),
    )


def _turn_head(places: _Places, face: Landmarks, at: Pose) -> None:
    """The head tilts, turns and nods over a body that stays; the nose moves furthest."""
    middle, width = face.centre("nose_bridge"), face.width
    right, down = places.x - middle[0], places.y - middle[1]
    far = (right / (_HEAD_WIDTH * width)) ** 2 + (down / (_HEAD_HEIGHT * width)) ** 2
    head = np.exp(-(far**2))
    near = np.exp(-2.5 * far)
    places.x += head * down * np.float32(at.head_tilt)
    places.x += (0.5 * head + 0.5 * near) * np.float32(at.head_turn * width)
    places.y -= head * right * np.float32(at.head_tilt)
    places.y += (0.5 * head + 0.5 * near) * np.float32(at.head_nod * width)


def _drop_jaw(places: _Places, face: Landmarks, at: Pose) -> Field:
    """The lower lip and chin sink; what opens between the lips is dark."""
    line = face.between_lips
    mouth = float(np.ptp(face.parts["top_lip"][:, 0]))
    chin = float(face.parts["chin"][:, 1].max())
    drop = at.jaw * _JAW_DROP * face.width
    right, below = places.x - line[0], places.y - line[1]
    across = np.exp(-((right / (0.75 * mouth)) ** 2))
    rise = _smooth_step(below / (0.12 * mouth + drop))
    fall = 1 - _smooth_step((places.y - chin) / (0.5 * mouth))
    places.y -= np.float32(drop) * across * rise * fall
    gap = (right / (0.33 * mouth)) ** 2 + ((below - 0.55 * drop) / (0.5 * drop + 1e-3)) ** 2
    dark: Field = np.float32(min(1.0, 1.5 * at.jaw)) * np.exp(-(gap**2))
    return 1 - dark[..., None] * np.array(_MOUTH_TAKES, np.float32)


def _lid(places: _Places, face: Landmarks, eye: str, share: float) -> _Lid:
    middle, points = face.centre(eye), face.parts[eye]
    width, height = np.ptp(points[:, 0]), np.ptp(points[:, 1])
    across = (places.x - middle[0]) / (0.6 * width)
    down = (places.y - middle[1]) / height
    edge = share * _LID_TRAVEL - 1.1
    opening = np.exp(-((across**2 + (down / 0.8) ** 2) ** 3))
    cover = opening * _smooth_step((edge - down) / 0.25 + 0.9)
    lashes = 1 - _LASHES * np.exp(-(((down - edge) / 0.18) ** 2))
    return _Lid(
        borrowed_from=np.float32(1.7 * height), cover=cover[..., None], lashes=lashes[..., None]
    )


def _smooth_step(share: Field) -> Field:
    bounded = np.clip(share, 0, 1)
    eased: Field = bounded * bounded * (3 - 2 * bounded)
    return eased


def _light(at: Pose, size: tuple[int, int]) -> Field:
    """Brighter from one side, a little warmer where it is brighter."""
    slope = np.linspace(-1, 1, size[0], dtype=np.float32) * np.float32(at.light_slope)
    gain = 1 + np.float32(at.light) + slope
    warmth = np.array([1.15, 1.0, 0.8], np.float32)
    lit: Field = (1 + (gain[:, None] - 1) * warmth)[None]
    return lit
