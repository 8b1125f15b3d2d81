"""Reading a file of which only parts are here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from unmask.media.holes import Holed, Range, holding, merged, missing

DATA = bytes(range(256)) * 16


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    """The beginning is here; the rest is zeros, as in a file with holes."""
    path = tmp_path / "film"
    path.write_bytes(DATA[:100] + bytes(len(DATA) - 100))
    file: BinaryIO
    with path.open("r+b", buffering=0) as file:
        yield file.fileno()


def bringing(handle: int, step: int, asked: list[int]) -> Holed:
    def ask(place: int) -> Range:
        asked.append(place)
        end = min(place + step, len(DATA))
        os.pwrite(handle, DATA[place:end], place)
        return place, end

    return Holed(handle, [(0, 100)], ask)


def test_what_is_here_is_read_without_asking(handle: int) -> None:
    asked: list[int] = []
    file = bringing(handle, 50, asked)
    assert file.read(100) == DATA[:100]
    assert (file.tell(), asked) == (100, [])


def test_a_hole_is_never_read_as_zeros(handle: int) -> None:
    asked: list[int] = []
    file = bringing(handle, 50, asked)
    assert file.seek(-10, os.SEEK_END) == len(DATA) - 10
    assert file.read() == DATA[-10:]
    file.seek(90)
    assert file.read(200) == DATA[90:290]
    assert asked == [len(DATA) - 10, 100, 150, 200, 250]
    assert file.read(0) == b""
    file.seek(len(DATA))
    assert file.read() == b""


def test_what_was_brought_is_not_asked_for_again(handle: int) -> None:
    asked: list[int] = []
    file = bringing(handle, 1000, asked)
    for _ in range(2):
        file.seek(0)
        buffer = bytearray(900)
        assert file.readinto(buffer) == 900
        assert buffer == DATA[:900]
    assert asked == [100]


def test_no_library_gets_a_number_to_read_past_it(handle: int) -> None:
    with pytest.raises(OSError, match="fileno"):
        bringing(handle, 50, []).fileno()


def test_an_answer_about_another_place_is_an_error(handle: int) -> None:
    file = Holed(handle, [(0, 100)], lambda _: (0, 100))
    with pytest.raises(OSError, match="asked for 100"):
        file.read(200)


def test_ranges() -> None:
    assert merged([(8, 10), (0, 4), (4, 6), (1, 2)]) == ((0, 6), (8, 10))
    assert missing([(0, 4), (8, 10)], 12) == ((4, 8), (10, 12))
    assert missing([(0, 12)], 12) == ()
    assert holding([(0, 4), (8, 10)], 9) == (8, 10)
    assert holding([(0, 4), (8, 10)], 4) is None
