"""Turned, mirrored, stretched and interlaced files are shown as they are meant."""

import io
import struct
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.made.boxes import EVERY_FRAME, face_square, squared
from bench.made.faces import Rgb, astronaut
from bench.made.film import coded, one_face
from tests.making.extracted import extracted
from tests.making.shown import apart, pictures, wholes
from unmask.media.geometry import iou

CODED = np.ascontiguousarray(astronaut()[40:240, 140:400])
#: All eight ways to lay a picture on a table: where its x and its y axis point.
WAYS = [
    (a, b, c, d) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) for d in (-1, 0, 1)
    if abs(a) + abs(b) == abs(c) + abs(d) == abs(a * d - b * c) == 1
]  # fmt: skip


def with_matrix(film: bytes, a: int, b: int, c: int, d: int) -> bytes:
    """The track header of an MP4 file says where its axes point; shifts are set to fit."""
    height, width = CODED.shape[:2]
    x = -min(0, a * width) - min(0, c * height)
    y = -min(0, b * width) - min(0, d * height)
    one = 1 << 16
    data, place = bytearray(film), film.index(b"tkhd") + 4 + 40
    numbers = (a * one, b * one, 0, c * one, d * one, 0, x * one, y * one, 1 << 30)
    data[place : place + 36] = struct.pack(">9i", *numbers)
    return bytes(data)


def laid(picture: Rgb, a: int, b: int, c: int, d: int) -> Rgb:
    """Every pixel put where the matrix says, one by one."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    across, down = a * x + c * y, b * x + d * y
    across, down = across - across.min(), down - down.min()
    shown = np.zeros((down.max() + 1, across.max() + 1, 3), np.uint8)
    shown[down, across] = picture
    return shown


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_film_lies_as_its_matrix_says(way: tuple[int, int, int, int]) -> None:
    data = with_matrix(coded([CODED], pixels="yuv444p", options={"crf": "4"}), *way)
    (shown,) = wholes(data)
    assert apart(shown, laid(CODED, *way)) < 3


def still(kind: str, exif: bytes) -> bytes:
    target = io.BytesIO()
    Image.fromarray(CODED).save(target, kind, exif=b"Exif\0\0" + exif)
    return target.getvalue()


def orientation(number: int, *more: bytes) -> bytes:
    """An EXIF block of one number, and of what else is given."""
    entries = (struct.pack("<HHII", 0x0112, 3, 1, number), *more)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


#: Where the x and the y axis of a picture point, by its orientation.
TOLD = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


@pytest.mark.parametrize("number", TOLD)
def test_a_still_lies_as_its_exif_says(number: int) -> None:
    (shown,) = wholes(still("PNG", orientation(number)))
    assert np.array_equal(shown, laid(CODED, *TOLD[number]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize(
    "block",
    [bytes(64), b"somebody's notes", b"II*\0" + b"\xff" * 8],
    ids=["wiped", "overwritten", "leading nowhere"],
)
def test_a_spoilt_exif_block_spoils_no_picture(kind: str, block: bytes) -> None:
    (picture,) = pictures(still(kind, block))
    assert apart(picture.small_rgb(4096), CODED) < 8


def test_a_still_is_turned_whatever_else_is_wrong_in_its_exif() -> None:
    nowhere = struct.pack("<HHII", 0x8769, 4, 1, 0xFFFF)
    (shown,) = wholes(still("PNG", orientation(6, nowhere)))
    assert np.array_equal(shown, laid(CODED, *TOLD[6]))


@pytest.mark.parametrize("way", [(-1, 0, 0, 1), (0, 1, 1, 0)], ids=str)
def test_boxes_in_a_mirrored_film_lie_where_the_face_is(way: tuple[int, int, int, int]) -> None:
    """A crop, put back where its box says, is the picture that was there."""
    (picture,) = pictures(with_matrix(coded([CODED], pixels="yuv444p"), *way))
    whole = picture.small_rgb(4096)
    for x, y in ((10, 20), (70, 90), (100, 4)):
        wanted = picture.view.to_shown(picture.view.to_coded(_square(x, y, 60)))
        assert (wanted.x, wanted.y) == pytest.approx((x, y))
        cut, box = picture.crop(_square(x, y, 60), 60)
        left, top = int(box.x), int(box.y)
        assert apart(cut, whole[top : top + 60, left : left + 60]) < 0.5


def _square(x: float, y: float, side: float) -> Any:
    from unmask.media.values import Box

    return Box(x=x, y=y, width=side, height=side)


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(1, 2), Fraction(16, 15), Fraction(4, 3)])
def test_flat_pixels_are_made_square(ratio: Fraction) -> None:
    truth = np.ascontiguousarray(astronaut()[:240, 80:400])
    height, width = truth.shape[:2]
    across, down = (1 / ratio, 1) if ratio > 1 else (1, ratio)
    flat = cv2.resize(
        truth, (int(width * across) & ~1, int(height * down) & ~1), interpolation=cv2.INTER_AREA
    )

    def flatten(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = ratio

    data = coded([np.asarray(flat, np.uint8)], pixels="yuv444p", change=flatten)
    (shown,) = wholes(data)
    assert abs(shown.shape[1] - width) <= 3
    assert abs(shown.shape[0] - height) <= 3
    fitted = cv2.resize(shown, (width, height))
    assert apart(fitted, truth) < 8
    assert apart(shown, cv2.resize(flat, shown.shape[1::-1], interpolation=cv2.INTER_CUBIC)) < 3


def woven(films: list[Rgb]) -> list[Rgb]:
    """Fifty half-pictures a second as twenty-five whole ones: even lines, then odd ones."""
    frames = []
    for even, odd in zip(films[::2], films[1::2], strict=True):
        frame = even.copy()
        frame[1::2] = odd[1::2]
        frames.append(frame)
    return frames


INTERLACED = {"flags": "+ildct+ilme", "x264-params": "interlaced=1:tff=1", "crf": "8"}


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_an_interlaced_film_shows_no_combs(codec: str) -> None:
    scene = one_face(24, lambda i: (150 + 12 * i, 180), side=lambda _: 120)
    options = INTERLACED if codec == "libx264" else {"flags": "+ildct+ilme", "b": "30M"}
    container = "mp4" if codec == "libx264" else "mpegts"
    frames = woven(scene.pictures)
    data = coded(frames, codec=codec, container=container, options=options)
    shown = wholes(data)
    assert len(shown) == 12
    errors = [apart(one, truth) for one, truth in zip(shown, scene.pictures[::2], strict=True)]
    combed = [apart(one, truth) for one, truth in zip(frames, scene.pictures[::2], strict=True)]
    assert max(errors) < 2.5
    assert np.mean(errors) < np.mean(combed)

    _, manifest = extracted(data)
    for frame, truth in zip(manifest.persons[0].frames, scene.faces[::2], strict=True):
        assert iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"])) > 0.7


def test_a_camcorders_tape_shows_no_combs() -> None:
    """DV of NTSC: interlaced, with chroma in a layout of its own (4:1:1)."""
    scene = one_face(12, lambda i: (250 + 14 * i, 240), side=lambda _: 140, size=(720, 480))
    frames = woven(scene.pictures)
    rate = Fraction(30000, 1001)
    data = coded(frames, codec="dvvideo", container="avi", pixels="yuv411p", rate=rate)
    shown = wholes(data)
    assert len(shown) == 6
    for one, comb, truth in zip(shown, frames, scene.pictures[::2], strict=True):
        fitted = cv2.resize(one, (720, 480), interpolation=cv2.INTER_AREA)
        assert edges(fitted) < (edges(comb) + edges(truth)) / 2


def edges(picture: Any) -> float:
    """How unlike a line is to the next one: combs are."""
    return float(np.abs(np.diff(picture.astype(int), axis=0)).mean())
