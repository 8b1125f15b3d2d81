"""Items that a model was most wrong about, and a face of each for whoever wants to look."""

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from unmask.spec import ScanSpec
from unmask.train.crops import Crops, Rgb
from unmask.train.extracting import load
from unmask.train.scoring import Scored
from unmask.train.sets.item import Item

#: So many are shown.
MOST = 12
_HALF = 0.5
_QUALITY = 90


def worst(items: Sequence[Scored]) -> list[Scored]:
    """Said to be the other thing, the surest first."""
    wrong = [item for item in items if (item.said >= _HALF) != item.fake]
    return sorted(wrong, key=lambda item: abs(item.said - _HALF), reverse=True)[:MOST]


def of_crops(scored: Sequence[Scored], crops: Crops) -> dict[str, str]:
    places = {name: place for place, name in enumerate(crops.names)}
    return {one.source: shown(crops.pictures[places[one.source]]) for one in worst(scored)}


def of_items(
    scored: Sequence[Scored], items: Sequence[Item], folder: Path, spec: ScanSpec
) -> dict[str, str]:
    """The most telling frame of who decided."""
    by_path = {str(item.path): item for item in items}
    return {
        one.source: shown(_face(one, by_path[one.source], folder, spec)) for one in worst(scored)
    }


def _face(scored: Scored, item: Item, folder: Path, spec: ScanSpec) -> Rgb:
    person, window, frame = scored.telling
    windows = next(p.windows for p in load(item, folder, spec).persons if p.person == person)
    return next(own.frames[frame] for own in windows if own.number == window)


def shown(picture: Rgb) -> str:
    """As an address that holds the picture itself."""
    turned = np.ascontiguousarray(picture[..., ::-1])
    done, coded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode()
