"""Light and colour: what a person would see on a screen, from every kind of signal."""

from typing import Any

import cv2
import numpy as np
import pytest

from bench.made.faces import astronaut
from bench.made.film import coded, one_face
from tests.making import signals
from tests.making.extracted import extracted
from tests.making.shown import apart, pictures, wholes
from unmask.media import decode_frames
from unmask.media.values import Box

TRUTH = np.ascontiguousarray(astronaut()[:240, 100:340])
#: Light above half of white is rolled off, to leave room for what HDR holds beyond white.
UNTOUCHED = signals.light(TRUTH).max(axis=2) < 0.5
TRANSFERS: dict[str, tuple[signals.Signal, int]] = {
    "pq": (signals.pq, 16),
    "hlg": (signals.hlg, 18),
    "sdr": (signals.sdr, 14),
}


def wide_film(name: str, shown: Any) -> bytes:
    signal, number = TRANSFERS[name]
    return signals.coded_2020([signal(signals.wide(shown))], number)


@pytest.mark.parametrize("name", TRANSFERS)
def test_a_film_of_wide_colours_and_light_looks_like_the_ordinary_one(name: str) -> None:
    (shown,) = wholes(wide_film(name, signals.light(TRUTH)))
    assert UNTOUCHED.mean() > 0.5
    assert apart(shown[UNTOUCHED], TRUTH[UNTOUCHED]) < 1.5


@pytest.mark.parametrize("pixels", ["gbrp10le", "gbrp12le", "yuva444p10le", "yuv420p16le"])
@pytest.mark.parametrize("name", TRANSFERS)
def test_so_it_does_in_layouts_that_are_not_read_as_they_are(name: str, pixels: str) -> None:
    signal, number = TRANSFERS[name]
    light = signal(signals.wide(signals.light(TRUTH)))
    (shown,) = wholes(signals.coded_2020([light], number, pixels=pixels))
    assert apart(shown[UNTOUCHED], TRUTH[UNTOUCHED]) < (6 if "420" in pixels else 2)


@pytest.mark.parametrize("name", ["pq", "hlg"])
def test_light_beyond_white_is_rolled_off_not_cut_off(name: str) -> None:
    """A ramp of grey from black to the peak of a usual master."""
    ramp = np.linspace(0, 1000 / signals.WHITE, 512)[None, :, None].repeat(16, 0).repeat(3, 2)
    (shown,) = wholes(wide_film(name, ramp))
    levels = shown[8, :, 1].astype(int)
    assert np.diff(levels).min() >= -1
    white = levels[round(512 * signals.WHITE / 1000)]
    assert 210 <= white <= 240
    assert levels[-1] >= 250
    assert levels[400] < 254


def test_hdr_is_grey_like_it_is_coloured() -> None:
    """What tracking compares is the same picture."""
    (picture,) = pictures(wide_film("pq", signals.light(TRUTH)))
    grey = picture.small_grey(4096)
    levels = TRUTH @ np.array([0.2126, 0.7152, 0.0722])
    assert apart(grey[UNTOUCHED], levels[UNTOUCHED]) < 5


def test_a_crop_of_hdr_is_the_part_of_the_whole() -> None:
    (picture,) = pictures(wide_film("hlg", signals.light(TRUTH)))
    cut, box = picture.crop(Box(x=64, y=32, width=112, height=112), 112)
    assert (box.x, box.y, box.width) == (64, 32, 112)
    assert apart(cut, picture.small_rgb(4096)[32:144, 64:176]) < 1.0


def tags(matrix: int, reach: int) -> Any:
    def change(stream: Any) -> None:
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = reach

    return change


@pytest.mark.parametrize("depth", ["yuv444p", "yuv444p10le", "yuv444p12le", "bgr0", "gbrp10le"])
def test_every_depth_and_layout_shows_the_same(depth: str) -> None:
    data = coded([TRUTH], codec="ffv1", container="matroska", pixels=depth)
    assert apart(wholes(data)[0], TRUTH) < 1.5


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv411p", "yuv440p", "yuv410p"])
def test_thin_chroma_shows_nearly_the_same(pixels: str) -> None:
    data = coded([TRUTH], codec="ffv1", container="matroska", pixels=pixels)
    assert apart(wholes(data)[0], TRUTH) < 6


@pytest.mark.parametrize("size", [(321, 243), (241, 1), (1, 33), (3, 5), (2, 2), (1, 1)])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv420p10le", "gray"])
def test_odd_sizes(size: tuple[int, int], pixels: str) -> None:
    width, height = size
    truth = np.ascontiguousarray(astronaut()[:height, 80 : 80 + width])
    data = coded([truth], codec="rawvideo", container="nut", pixels=pixels)
    (picture,) = pictures(data)
    shown = picture.small_rgb(4096)
    if pixels == "gray":
        assert apart(shown.mean(axis=2), truth @ np.array([0.299, 0.587, 0.114])) < 3
    else:
        assert apart(shown, truth) < 8
    cut, _ = picture.crop(Box(x=-1, y=-1, width=width + 2, height=width + 2), 16)
    assert cut.shape == (16, 16, 3)


@pytest.mark.parametrize("name", ["pq", "hlg"])
def test_faces_of_an_hdr_film_are_found_and_look_ordinary(name: str) -> None:
    """Through a real HDR coder: ten bits, HEVC, tags in its own headers."""
    scene = one_face(12, lambda i: (150 + 4 * i, 120), side=lambda _: 100, size=(320, 240))
    signal, number = TRANSFERS[name]
    shown = [signal(signals.wide(signals.light(picture))) for picture in scene.pictures]
    film = signals.coded_2020(shown, number, codec="libx265", options={"crf": "8"})
    clips, manifest = extracted(film)
    (person,) = manifest.persons
    assert len(person.frames) == 12
    faces = decode_frames(clips[0].data, person)
    for face, frame, picture in zip(faces, person.frames, scene.pictures, strict=True):
        left, top, side = (round(each) for each in (frame.box.x, frame.box.y, frame.box.width))
        cut = picture[top : top + side, left : left + side]
        ordinary = cv2.resize(cut, (112, 112), interpolation=cv2.INTER_AREA)
        dim = ordinary.max(axis=2) < 185
        assert dim.mean() > 0.4
        assert apart(face[dim], ordinary[dim]) < 6
