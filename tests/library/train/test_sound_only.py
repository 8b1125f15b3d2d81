"""Fakes that differ from their original in sound alone are found, and no others."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.making.crops import picture
from unmask.train.sets.item import Item
from unmask.train.sets.sound_only import same_picture, without_sound_only

SIDE, FRAMES = 128, 30
Film = list[NDArray[np.uint8]]


def film(*, swapped: bool) -> Film:
    """A picture that drifts; where it is swapped, its middle is another's."""
    base, other = picture(8, fake=False, side=2 * SIDE), picture(11, fake=False, side=2 * SIDE)
    found = []
    for step in range(FRAMES):
        frame = base[step : step + SIDE, step : step + SIDE].copy()
        if swapped:
            frame[40:88, 40:88] = other[step + 40 : step + 88, step + 40 : step + 88]
        found.append(frame)
    return found


def write(path: Path, frames: Film, crf: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": str(crf)})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "original.mp4", film(swapped=False), 20)
    write(tmp_path / "spoken.mp4", film(swapped=False), 28)
    write(tmp_path / "swapped.mp4", film(swapped=True), 28)
    return tmp_path


def item(folder: Path, name: str, *, method: str = "dfdc") -> Item:
    fake = name != "original"
    return Item(
        path=folder / f"{name}.mp4",
        fake=fake,
        identities=("original",),
        method=method if fake else "real",
    )


def test_recompression_is_no_change_and_a_swap_is(folder: Path) -> None:
    assert same_picture(folder / "spoken.mp4", folder / "original.mp4")
    assert not same_picture(folder / "swapped.mp4", folder / "original.mp4")


def test_what_was_never_touched_is_left_out(folder: Path) -> None:
    items = [item(folder, name) for name in ("original", "spoken", "swapped")]
    found = without_sound_only(items)
    assert [each.path.stem for each in found.sound_only] == ["spoken"]
    assert [each.path.stem for each in found.kept] == ["original", "swapped"]


def test_other_data_sets_are_taken_at_their_word(folder: Path) -> None:
    items = [item(folder, "original"), item(folder, "spoken", method="Deepfakes")]
    assert not without_sound_only(items).sound_only
