"""`align: eyes`: level, in one place, traceable, never stretched."""

import math
from typing import Any

import cv2
import numpy as np
import pytest

from bench.made.faces import astronaut
from bench.made.film import coded
from tests.making.extracted import extracted
from tests.making.shown import apart
from unmask.errors import Unusable
from unmask.media import decode_frames
from unmask.media.values import FaceFrame
from unmask.spec import ScanSpec

#: Marked by hand, in pixels of the whole picture: the eye on the left as seen, and the other.
EYES = np.array([[204, 102], [247, 104]])
ALIGNED = ScanSpec(
    moments="first",
    windows=1,
    frames=100,
    spacing_s=None,
    min_frames=1,
    align="eyes",
    coding="png",
)
SIZE = (480, 360)


def tilted(degrees: float) -> tuple[Any, Any]:
    """The astronaut turned clockwise as seen, and where her eyes are then."""
    turn = cv2.getRotationMatrix2D((226, 118), -degrees, 1.0)
    turn = turn + np.array([[0, 0, 240 - 226], [0, 0, 180 - 118]])
    picture = cv2.warpAffine(astronaut(), turn, SIZE, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(picture, np.uint8), EYES @ turn[:, :2].T + turn[:, 2]


def in_crop(frame: FaceFrame, point: Any) -> Any:
    """From the picture into the crop, as the manifest says: shares of its side."""
    box, turn = frame.box, math.radians(frame.tilt)
    x, y = point[0] - box.x - box.width / 2, point[1] - box.y - box.height / 2
    right = np.array([math.cos(turn), math.sin(turn)])
    down = np.array([-math.sin(turn), math.cos(turn)])
    return np.array([x, y]) @ np.array([right, down]).T / box.width + 0.5


@pytest.mark.parametrize("degrees", [-25, -10, 0, 10, 25])
def test_eyes_are_level_and_in_their_place(degrees: float) -> None:
    picture, eyes = tilted(degrees)
    _, manifest = extracted(coded([picture] * 3), ALIGNED)
    for frame in manifest.persons[0].frames:
        left, right = (in_crop(frame, eye) for eye in eyes)
        slope = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
        assert abs(slope) < 4
        assert (left + right) / 2 == pytest.approx([0.5, 0.4], abs=0.04)
        assert frame.box.width == frame.box.height


@pytest.mark.parametrize("degrees", [-25, 0, 15])
def test_a_frame_shows_what_its_box_and_tilt_say(degrees: float) -> None:
    picture, _ = tilted(degrees)
    clips, manifest = extracted(coded([picture] * 2, options={"crf": "1"}), ALIGNED)
    (person,) = manifest.persons
    frame, shown = person.frames[0], decode_frames(clips[0].data, person)[0]
    box, size = frame.box, ALIGNED.size
    turn = cv2.getRotationMatrix2D(
        (box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5), frame.tilt, size / box.width
    )
    middle = size / 2 - np.array([box.x, box.y]) - box.width / 2
    turn = turn + np.hstack([np.zeros((2, 2)), middle[:, None]])
    truth = cv2.warpAffine(picture, turn, (size, size), flags=cv2.INTER_AREA)
    assert apart(shown, np.asarray(truth)) < 5


def test_a_squashed_box_is_not_aligned() -> None:
    with pytest.raises(Unusable, match="squashed"):
        ScanSpec(box="squash", align="eyes")
