"""Labelled files to clips, kept as long as the file is what it was."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bench.made.film import coded, one_face
from unmask.spec import ScanSpec
from unmask.train.extracting import extract_all, first_window, load, why_nobody
from unmask.train.sets.item import Item

SPEC = ScanSpec(name="few", windows=2, frames=3)


def _drifting(start: float, frame: int) -> tuple[float, float]:
    return start + frame, 180.0


@pytest.fixture
def item(tmp_path: Path) -> Item:
    path = tmp_path / "film.mp4"
    path.write_bytes(coded(one_face(10, partial(_drifting, 250.0), size=(480, 360)).pictures))
    return Item(path=path, fake=False, identities=("ann",))


def cut(item: Item, folder: Path) -> list[Item]:
    """Those that had to be cut."""
    made: list[Item] = []
    extract_all([item], folder, SPEC, done=made.append)
    return made


def test_a_file_is_cut_once_and_again_when_it_was_mended(item: Item, tmp_path: Path) -> None:
    whole, work = item.path.read_bytes(), tmp_path / "clips"
    item.path.write_bytes(whole[:200])
    assert cut(item, work) == [item]
    assert "cut off" in why_nobody(item, work, SPEC)
    assert cut(item, work) == []
    item.path.write_bytes(whole)
    assert cut(item, work) == [item]
    assert why_nobody(item, work, SPEC) == ""
    [first, *others] = load(item, work, SPEC).persons[0].windows
    assert others
    assert np.array_equal(first_window(item, work, SPEC), first.frames)
