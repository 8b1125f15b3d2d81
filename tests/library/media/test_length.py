"""A length that a header tells is one number, and anybody can write it there."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.made.film import backdrop, coded, one_face
from tests.making.extracted import extracted
from tests.making.numbered import numbered
from tests.making.shown import pictures
from unmask.media.budget import Budget
from unmask.media.holes import Holed, Range
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.spec import ScanSpec

RATE = 25
LONG_S, SHORT_S = 3600.0, 1.9
#: Container → how its pictures are coded, what stands before its length, how that is written, and
#: how many of it a second has.
TOLD: dict[str, tuple[str, bytes, str, float]] = {
    "matroska": ("libx264", b"\x44\x89\x88", ">d", 1000),
    "mp4": ("libx264", b"mdhd" + bytes(12), ">I", 12800),
    "avi": ("mpeg4", b"vids", "<I", RATE),
    "flv": ("libx264", b"duration\x00", ">d", 1),
}
#: From the end of that word to the length.
_FURTHER = {"mp4": 4, "avi": 28}


def made(container: str, shown: Any) -> bytes:
    return coded(shown, container=container, codec=TOLD[container][0], options={"g": "50"})


def told(container: str, data: bytes, length_s: float) -> bytes:
    _, word, layout, ticks = TOLD[container]
    place = data.index(word) + len(word) + _FURTHER.get(container, 0)
    changed, number = bytearray(data), length_s * ticks
    struct.pack_into(layout, changed, place, number if layout == ">d" else round(number))
    return bytes(changed)


@pytest.fixture(scope="module")
def late_face() -> Callable[[str], bytes]:
    """Two seconds of nobody, and then somebody."""
    scene = one_face(150, lambda _: (160, 90), side=lambda _: 80, size=(320, 180))
    shown = [*[backdrop(320, 180)] * (2 * RATE), *scene.pictures]
    films = {container: made(container, shown) for container in TOLD}
    return films.__getitem__


@pytest.mark.parametrize("length_s", [SHORT_S, LONG_S])
@pytest.mark.parametrize("container", TOLD)
def test_a_lie_about_the_length_hides_nobody(
    container: str, length_s: float, late_face: Callable[[str], bytes]
) -> None:
    honest = late_face(container)
    _, manifest = extracted(told(container, honest, length_s), ScanSpec())
    assert manifest.media.duration_s == pytest.approx(8.0, abs=0.1)
    assert len({frame.window for frame in manifest.persons[0].frames}) > 3
    assert manifest.coverage > 0.5
    lied = told(container, honest, length_s)
    assert lied != honest
    assert told(container, lied, 8.0) == told(container, honest, 8.0)


def test_of_two_films_joined_in_an_avi_both_are_looked_at() -> None:
    film = made("avi", [numbered(index) for index in range(100)])
    with opened(io.BytesIO(film + film), Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(8.0)
        assert sum(1 for _ in source.pictures(0.0)) == 200


def test_what_an_edit_cuts_off_is_no_part_of_the_film() -> None:
    """It stands in the index, since the rest is decoded with it."""
    data = bytearray(made("mp4", [numbered(index) for index in range(200)]))
    begin = data.index(b"elst") + 12
    duration, media = struct.unpack_from(">II", data, begin)
    struct.pack_into(">II", data, begin, duration // 2, media + 40 * 512)
    with opened(io.BytesIO(bytes(data)), Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(4.0)
        assert len(pictures(bytes(data))) == 100


def large(container: str) -> bytes:
    """Much larger than what is read at once."""
    random = np.random.default_rng(0)
    shown = (random.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(10 * RATE))
    codec = "mjpeg" if container == "avi" else "libx264"
    pixels = "yuvj420p" if container == "avi" else "yuv420p"
    options = {"g": "25", "crf": "5"} if codec == "libx264" else {"qmin": "2", "qmax": "2"}
    return coded(shown, container=container, codec=codec, pixels=pixels, options=options)


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi", "mpegts"])
def test_a_good_file_is_not_read_through_for_it(container: str) -> None:
    file = Counting(large(container))
    with opened(file, Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(10.0, abs=0.1)
    assert file.of_the_middle < file.size / 10


class Counting(io.BytesIO):
    """How much of its middle half was read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size, self.of_the_middle = len(data), 0

    def read(self, size: int | None = -1, /) -> bytes:
        begin = self.tell()
        data = super().read(size)
        first, last = max(begin, self.size // 4), min(begin + len(data), self.size * 3 // 4)
        self.of_the_middle += max(0, last - first)
        return data


@pytest.mark.parametrize(("container", "length_s"), [("mp4", SHORT_S), ("matroska", 10.0)])
def test_a_film_that_is_not_all_here_is_not_fetched_for_it(
    container: str, length_s: float, tmp_path: Path
) -> None:
    data, brought = told(container, large(container), length_s), 0
    path = tmp_path / "film"
    path.write_bytes(data)

    def ask(place: int) -> Range:
        nonlocal brought
        end = min(place + (1 << 16), len(data))
        brought += end - place
        return place, end

    with path.open("rb", buffering=0) as file:
        holed: Any = Holed(file.fileno(), [], ask)
        with opened(holed, Budget(Limits())) as source:
            assert source.info.duration_s == pytest.approx(10.0, abs=0.1)
            assert brought < len(data) / 2
