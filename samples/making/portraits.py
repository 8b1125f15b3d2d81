"""The still pictures everything is made from, and where the faces in them are."""

from dataclasses import dataclass, field
from pathlib import Path

import face_recognition
import matplotlib as mpl
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]

#: The sides and top of the part of a face that a swap replaces.
_OUTLINE = ("chin", "left_eyebrow", "right_eyebrow")


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Named points of one face, in pixels."""

    parts: dict[str, Points] = field(repr=False)

    @property
    def every(self) -> Points:
        return np.concatenate(list(self.parts.values()))

    @property
    def outline(self) -> Points:
        return np.concatenate([self.parts[name] for name in _OUTLINE])

    def centre(self, part: str) -> Points:
        middle: Points = self.parts[part].mean(axis=0)
        return middle

    @property
    def between_lips(self) -> Points:
        """The middle of the inner edges: the last five points of each lip."""
        inner = [self.parts[lip][-5:] for lip in ("top_lip", "bottom_lip")]
        middle: Points = np.concatenate(inner).mean(axis=0)
        return middle

    @property
    def width(self) -> float:
        return float(np.ptp(self.parts["chin"][:, 0]))


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """A picture of one person, and the part of it that a camera looks at."""

    picture: Picture = field(repr=False)
    landmarks: Landmarks
    #: The middle of the view, in pixels of the picture.
    middle: tuple[float, float]
    #: How many pixels of the picture a view in 4:3 is high.
    view_height: float


def landmarks_of(picture: Picture) -> Landmarks:
    """The landmarks of the face that stands first; ValueError where there is none."""
    found = face_recognition.face_landmarks(picture, face_recognition.face_locations(picture)[:1])
    if not found:
        raise ValueError(f"no face found in a picture of {picture.shape[1]}x{picture.shape[0]}")
    return Landmarks(parts={name: np.array(at, np.float32) for name, at in found[0].items()})


def astronaut() -> Portrait:
    """Eileen Collins, NASA."""
    return _portrait(scikit_image("astronaut.png"), middle=(226, 135), view_height=258)


def admiral() -> Portrait:
    """Grace Hopper, US Navy."""
    picture = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return _portrait(_opened(picture), middle=(268, 194), view_height=372)


def scikit_image(name: str) -> Picture:
    """One of the pictures that scikit-image carries."""
    return _opened(Path(skimage.data.__file__).parent / name)


def _opened(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("RGB"))


def _portrait(picture: Picture, *, middle: tuple[float, float], view_height: float) -> Portrait:
    return Portrait(
        picture=picture,
        landmarks=landmarks_of(picture),
        middle=middle,
        view_height=view_height,
    )
