"""Stills of more light or other colours than a screen's look like the ordinary picture."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from bench.made.boxes import EVERY_FRAME, face_square, squared
from bench.made.faces import ASTRONAUT_FACE, astronaut
from tests.making import signals
from tests.making.extracted import extracted
from tests.making.shown import apart, wholes
from unmask.media.geometry import iou

#: Light above half of white is rolled off, to leave room for what HDR holds beyond white.
UNTOUCHED = signals.light(astronaut()).max(axis=2) < 0.5
SIGNALS: dict[str, tuple[signals.Signal, int]] = {"pq": (signals.pq, 16), "hlg": (signals.hlg, 18)}


def hdr_heic(name: str) -> bytes:
    signal, number = SIGNALS[name]
    samples = signal(signals.wide(signals.light(astronaut()))) * 65535
    picture = pillow_heif.from_bytes("RGB;16", (512, 512), samples.astype(np.uint16).tobytes())
    target = io.BytesIO()
    picture.save(
        target,
        quality=95,
        chroma="444",
        color_primaries=9,
        transfer_characteristics=number,
        matrix_coefficients=9,
        full_range_flag=1,
    )
    return target.getvalue()


def hdr_avif(name: str, folder: Path) -> bytes:
    """The frame of an HDR film, coded as a still."""
    signal, number = SIGNALS[name]
    film = signals.coded_2020([signal(signals.wide(signals.light(astronaut())))], number)
    path = folder / "still.avif"
    with av.open(io.BytesIO(film), "r") as source, av.open(str(path), "w", format="avif") as output:
        stream: Any = output.add_stream("libsvtav1", rate=1, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p10le"
        signals.tag(stream.codec_context, number)
        frame = next(source.decode(video=0)).reformat(format="yuv420p10le")
        frame.pts, frame.time_base = 0, Fraction(1, 1)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_an_hdr_still_looks_like_the_ordinary_one(kind: str, name: str, tmp_path: Path) -> None:
    data = hdr_heic(name) if kind == "heic" else hdr_avif(name, tmp_path)
    (shown,) = wholes(data)
    assert UNTOUCHED.mean() > 0.5
    assert apart(shown[UNTOUCHED], astronaut()[UNTOUCHED]) < 3
    _, manifest = extracted(data)
    (frame,) = manifest.persons[0].frames
    assert manifest.media.kind == "picture"
    assert iou(face_square(frame, EVERY_FRAME), squared(ASTRONAUT_FACE)) > 0.7


def _swapping_profile() -> bytes:
    """A profile of its own making, in which red means blue and blue means red."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1)
    other = swapped.replace(b"?XYZ", b"bXYZ", 1)
    return other.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def _still(picture: Image.Image, kind: str, profile: bytes) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, icc_profile=profile)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "HEIF"])
def test_a_colour_profile_is_followed(kind: str) -> None:
    swapped = Image.fromarray(np.ascontiguousarray(astronaut()[..., ::-1]))
    (shown,) = wholes(_still(swapped, kind, _swapping_profile()))
    assert apart(shown, astronaut()) < 5
    assert apart(shown, np.asarray(swapped)) > 10


def test_what_is_clear_stays_clear_under_a_profile() -> None:
    clear = Image.fromarray(astronaut()).convert("RGBA")
    clear.putalpha(0)
    (shown,) = wholes(_still(clear, "PNG", _swapping_profile()))
    assert shown.min() == 255


@pytest.mark.parametrize("profile", [b"no profile", _swapping_profile()[:200], b"\0" * 4096])
def test_a_broken_profile_changes_nothing(profile: bytes) -> None:
    (shown,) = wholes(_still(Image.fromarray(astronaut()), "PNG", profile))
    assert np.array_equal(shown, astronaut())


def test_an_ordinary_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (shown,) = wholes(_still(Image.fromarray(astronaut()), "PNG", srgb))
    assert np.array_equal(shown, astronaut())
