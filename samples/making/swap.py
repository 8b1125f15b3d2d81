"""Another person's face on a filmed head: aligned, colour-matched, blended through a soft hull."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from samples.making.portraits import Landmarks, Picture, Points, landmarks_of

#: Landmarks of single frames jitter; they are smoothed over this many frames.
_STEADY_FRAMES = 1.5
#: The seam is pulled in and feathered by this share of the face's width.
_PULLED_IN, _FEATHER = 0.04, 0.035


def swapped(target: list[Picture], donor: list[Picture]) -> Iterator[Picture]:
    """The target's film with the donor's face, frame by frame."""
    to, of = _steady(target), _steady(donor)
    for frame, face, its_outline, its_points, points in zip(
        target, donor, to.outline, to.every, of.every, strict=True
    ):
        yield _blend(frame, _aligned(face, points, its_points, frame), _hull(frame, its_outline))


class _Tracked:
    """Landmarks over time: frames × points × 2."""

    def __init__(self, found: list[Landmarks]) -> None:
        self.every = _smoothed([face.every for face in found])
        self.outline = _smoothed([face.outline for face in found])


def _steady(film: list[Picture]) -> _Tracked:
    return _Tracked([landmarks_of(frame) for frame in film])


def _smoothed(points: list[Points]) -> Points:
    over_time: Points = gaussian_filter1d(np.stack(points), _STEADY_FRAMES, axis=0)
    return over_time


def _aligned(face: Picture, points: Points, onto: Points, frame: Picture) -> Picture:
    """The donor's face, turned, stretched and moved onto the other's landmarks."""
    known = np.concatenate([points, np.ones((len(points), 1), np.float32)], axis=1)
    affine = np.linalg.lstsq(known, onto, rcond=None)[0].T
    height, width = frame.shape[:2]
    moved = cv2.warpAffine(
        face, affine, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.uint8)


def _hull(frame: Picture, outline: Points) -> NDArray[np.float32]:
    mask = np.zeros(frame.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(outline.astype(np.int32)), 1.0)
    width = float(np.ptp(outline[:, 0]))
    pulled = 2 * int(_PULLED_IN * width) + 1
    mask = np.asarray(cv2.erode(mask, np.ones((pulled, pulled))), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), _FEATHER * width), np.float32)


def _blend(frame: Picture, face: Picture, mask: NDArray[np.float32]) -> Picture:
    soft = mask[..., None]
    matched = _colour_matched(face, frame, mask > 0.5)
    return np.asarray(frame * (1 - soft) + matched * soft, np.uint8)


def _colour_matched(face: Picture, like: Picture, where: NDArray[np.bool_]) -> Picture:
    """Mean and spread of each Lab channel as in the frame it goes into."""
    ours = cv2.cvtColor(face, cv2.COLOR_RGB2LAB).astype(np.float32)
    theirs = cv2.cvtColor(like, cv2.COLOR_RGB2LAB).astype(np.float32)
    middle, spread = ours[where].mean(axis=0), ours[where].std(axis=0)
    wanted, width = theirs[where].mean(axis=0), theirs[where].std(axis=0)
    moved = (ours - middle) * (width / spread) + wanted
    lab = np.clip(moved, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)
