"""What is clear is shown on white, as a page would show it; every mode of still is read."""

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from bench.made.faces import Rgb, astronaut
from tests.making.shown import apart, wholes

PICTURE = np.ascontiguousarray(astronaut()[40:200, 140:340])
HEIGHT, WIDTH = PICTURE.shape[:2]
#: From clear on the left to solid on the right.
FADE = np.linspace(0, 255, WIDTH).round().astype(np.uint8)[None].repeat(HEIGHT, 0)
RGBA = np.dstack([PICTURE, FADE])
ON_WHITE = (PICTURE * (FADE[..., None] / 255) + 255 - FADE[..., None]).round().astype(np.uint8)
#: Clear or solid, where a format knows nothing between.
HARD = np.where(FADE[..., None] > 127, PICTURE, 255)


def still(kind: str, image: Image.Image, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_a_clear_still_is_on_white(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    (shown,) = wholes(still(kind, Image.fromarray(RGBA), **options))
    assert apart(shown, ON_WHITE) < 2.5


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_clear_animation_is_on_white(kind: str) -> None:
    frames = [Image.fromarray(RGBA), Image.fromarray(np.ascontiguousarray(RGBA[::-1]))]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"disposal": 1}
    data = still(kind, frames[0], save_all=True, append_images=frames[1:], duration=80, **options)
    for shown, truth in zip(wholes(data), (ON_WHITE, ON_WHITE[::-1]), strict=True):
        assert apart(shown, truth) < 2.5


def test_a_clear_gif_is_on_white() -> None:
    hard = np.dstack([PICTURE, np.where(FADE > 127, 255, 0).astype(np.uint8)])
    shown = wholes(still("GIF", Image.fromarray(hard)))[0]
    assert apart(shown[:, : WIDTH // 2 - 2], HARD[:, : WIDTH // 2 - 2]) == 0
    assert apart(shown, HARD) < 8


@pytest.mark.parametrize(
    ("codec", "container", "pixels"),
    [("qtrle", "mov", "argb"), ("ffv1", "matroska", "bgra"), ("ffv1", "matroska", "yuva444p")],
)
def test_a_clear_film_is_on_white(codec: str, container: str, pixels: str) -> None:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(RGBA, format="rgba").reformat(format=pixels)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        output.close()
        data = target.getvalue()
    for shown in wholes(data):
        assert apart(shown, ON_WHITE) < 2.5


def grey(picture: Rgb) -> Any:
    return np.asarray(Image.fromarray(picture).convert("L"))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("TIFF", "L"), ("JPEG", "L"), ("BMP", "L")],
)
def test_a_still_without_colour(kind: str, mode: str) -> None:
    image = Image.fromarray(PICTURE).convert(mode)
    (shown,) = wholes(still(kind, image))
    truth = np.asarray(image.convert("L").convert("RGB"))
    assert apart(shown, truth) < 3


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "P"), ("TIFF", "CMYK"), ("JPEG", "CMYK")])
def test_a_still_of_another_mode(kind: str, mode: str) -> None:
    (shown,) = wholes(still(kind, Image.fromarray(PICTURE).convert(mode)))
    assert apart(shown, PICTURE) < 16


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_still_of_sixteen_bits(kind: str) -> None:
    deep = grey(PICTURE).astype(np.uint16) * 257
    (shown,) = wholes(still(kind, Image.fromarray(deep)))
    assert apart(shown[..., 0], grey(PICTURE)) < 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_lies_as_its_exif_says(orientation: int) -> None:
    """By the standard: which row and which column of what is seen the first ones are."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: PICTURE.transpose(1, 0, 2)[::-1],
        7: PICTURE.transpose(1, 0, 2)[::-1, ::-1],
        8: PICTURE.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    data = still("PNG", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    (shown,) = wholes(data)
    assert np.array_equal(shown, PICTURE)


def test_a_tall_still_is_the_same_from_top_to_foot() -> None:
    """It is brought to what a page shows strip by strip."""
    tall = np.ascontiguousarray(np.vstack([RGBA] * 8))
    assert len(tall) > 1024
    (shown,) = wholes(still("PNG", Image.fromarray(tall)))
    assert apart(shown, np.vstack([ON_WHITE] * 8)) < 1
    deep = np.vstack([grey(PICTURE)] * 8).astype(np.uint16) * 257
    deep[:520] = 200  # nearly black: a strip alone would be taken for eight bits
    (shown,) = wholes(still("PNG", Image.fromarray(deep)))
    assert shown[:512].max() <= 1
    assert apart(shown[600:, :, 0], np.vstack([grey(PICTURE)] * 8)[600:]) < 1.5
