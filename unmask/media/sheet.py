"""A contact sheet: a person sees at a glance who was found, and when."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.media.clips import decode_frames
from unmask.media.values import Clip, Manifest, Person
from unmask.wording import counted

_COLUMNS = 10
_GAP = 4
_LABEL = 18
_BACKGROUND = 32
_INK = (230, 230, 230)


def contact_sheet(manifest: Manifest, clips: Sequence[Clip]) -> NDArray[np.uint8]:
    """One block of evenly spaced faces per person, each with its moment under it; RGB."""
    blocks = [
        _block(person, decode_frames(clip.data, person))
        for person, clip in zip(manifest.persons, clips, strict=True)
    ]
    if not blocks:
        raise ValueError("there is nobody to show")
    return np.concatenate(blocks)


def _block(person: Person, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = pictures.shape[1]
    shown = np.unique(np.linspace(0, len(pictures) - 1, 2 * _COLUMNS).round().astype(int))
    rows = -(-len(shown) // _COLUMNS)
    cell_height, cell_width = side + _LABEL + _GAP, side + _GAP
    sheet = np.full((rows * cell_height + _LABEL, _COLUMNS * cell_width, 3), _BACKGROUND, np.uint8)
    of_all = f"{len(shown)} of {counted(len(pictures), 'frame')}"
    _write(sheet, f"person {person.person + 1}: {of_all}", 4, _LABEL - 5)
    for place, index in enumerate(shown):
        top = _LABEL + place // _COLUMNS * cell_height
        left = place % _COLUMNS * cell_width
        sheet[top : top + side, left : left + side] = pictures[index]
        moment = person.frames[index].time_s
        _write(sheet, f"{moment:.2f} s", left + 2, top + side + _LABEL - 5)
    return sheet


def _write(sheet: NDArray[np.uint8], words: str, x: int, y: int) -> None:
    cv2.putText(sheet, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.4, _INK, 1, cv2.LINE_AA)
