"""Face pictures to bytes and back."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.made.faces import astronaut
from unmask.media import qoi
from unmask.media.coding import decode, encode

FACE: NDArray[np.uint8] = np.ascontiguousarray(astronaut()[50:162, 150:262])


@pytest.mark.parametrize("coding", ["qoi", "png"])
@pytest.mark.parametrize("size", [1, 48, 112, 225])
def test_every_bit_comes_back(coding: str, size: int) -> None:
    picture = np.asarray(cv2.resize(FACE, (size, size)), dtype=np.uint8)
    back = decode(memoryview(encode(picture, coding)))
    assert back is not None
    assert np.array_equal(back, picture)


def test_what_is_no_square_comes_back_too() -> None:
    back = decode(encode(FACE[:40], "qoi"))
    assert back is not None
    assert np.array_equal(back, FACE[:40])


@pytest.mark.parametrize(("coding", "most"), [("jpeg444-q90", 3.0), ("mjpg", 6.0)])
def test_what_is_lost_is_little(coding: str, most: float) -> None:
    back = decode(encode(FACE, coding))
    assert back is not None
    assert np.abs(back.astype(int) - FACE).mean() < most


def test_pictures_of_many_threads_do_not_mix() -> None:
    shades = [np.full((112, 112, 3), shade, np.uint8) for shade in range(200)]
    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(lambda one: encode(one, "qoi"), shades))
        back = list(threads.map(decode, written))
    for one, other in zip(shades, back, strict=True):
        assert other is not None
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        qoi.MAGIC,
        qoi.MAGIC + bytes(10),
        qoi.MAGIC + b"\xff" * 100,
        encode(FACE, "qoi")[:4] + (100_000).to_bytes(4, "big") * 2 + encode(FACE, "qoi")[12:],
        encode(FACE, "qoi")[:200],
    ],
)
def test_bytes_that_are_no_picture_are_none(data: bytes) -> None:
    assert decode(data) is None


def test_a_good_picture_follows_a_bad_one() -> None:
    decode(encode(FACE, "qoi")[:200])
    back = decode(encode(FACE, "qoi"))
    assert back is not None
    assert np.array_equal(back, FACE)


@given(st.binary(max_size=4_000), st.integers(1, 200), st.integers(1, 200))
def test_whatever_stands_in_a_qoi_it_is_its_picture_or_none(
    body: bytes, width: int, height: int
) -> None:
    """It is read where no room is."""
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    found = decode(qoi.MAGIC + sides + b"\x03\x00" + body + bytes(7) + b"\x01")
    assert found is None or found.shape == (height, width, 3)
