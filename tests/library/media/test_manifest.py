"""A manifest is read as if a stranger had written it."""

import json
import resource
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.making.frames import a_frame
from unmask.errors import Refused
from unmask.media import BadManifest, decode_frames, read_manifest
from unmask.media.clips import make_clip
from unmask.media.coding import encode
from unmask.media.sides import sides
from unmask.media.values import Box, FaceFrame, Manifest, MediaInfo, Person
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

numbers = st.floats(-10_000, 10_000, allow_nan=False)
positive = st.floats(0.5, 10_000)
boxes = st.builds(Box, x=numbers, y=numbers, width=positive, height=positive)
media = st.builds(
    MediaInfo,
    kind=st.sampled_from(["video", "picture", "animation"]),
    container=st.text(max_size=9),
    codec=st.text(max_size=9),
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
    duration_s=st.none() | positive,
    frame_rate=st.none() | positive,
    rotation=st.sampled_from([0, 90, 180, 270]),
)


@st.composite
def persons(draw: st.DrawFn, number: int) -> Person:
    lengths = draw(st.lists(st.integers(1, 9999), min_size=1, max_size=5))
    times = sorted(draw(st.lists(positive, min_size=len(lengths), max_size=len(lengths))))
    frames, offset = [], 0
    for time_s, length in zip(times, lengths, strict=True):
        frames.append(
            FaceFrame(
                window=draw(st.integers(0, 9)),
                time_s=time_s,
                box=draw(boxes),
                face_px=draw(st.integers(0, 999)),
                sharpness=draw(positive),
                detected=draw(st.booleans()),
                offset=offset,
                length=length,
                tilt=draw(st.floats(-45, 45)),
            )
        )
        offset += length
    digest = draw(st.text("0123456789abcdef", min_size=64, max_size=64))
    return Person(person=number, clip_sha256=digest, clip_bytes=offset, frames=tuple(frames))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    people = tuple(draw(persons(number)) for number in range(draw(st.integers(0, 3))))
    return Manifest(
        media=draw(media),
        spec_digest=draw(st.text("0123456789abcdef", min_size=16, max_size=16)),
        size=112,
        persons=people,
        coverage=draw(st.floats(0, 1)),
        outcome=None if people else draw(st.sampled_from([Outcome.NO_FACE, Outcome.TOO_SHORT])),
        notes=tuple(draw(st.lists(st.text(max_size=20), max_size=2))),
    )


@given(manifests())
def test_what_is_written_is_read_back(manifest: Manifest) -> None:
    assert read_manifest(manifest.to_bytes()) == manifest


@given(st.binary(max_size=200) | st.sampled_from([b"[]", b"null", b"{}", b"[" * 100_000]))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(BadManifest):
        read_manifest(data)


def _good() -> dict[str, Any]:
    frame = a_frame(time_s=1.0, length=10)
    person = Person(person=0, clip_sha256="a" * 64, clip_bytes=10, frames=(frame,))
    info = MediaInfo(kind="video", container="mp4", codec="h264", width=64, height=48)
    manifest = Manifest(media=info, spec_digest=ScanSpec().digest, size=112, persons=(person,))
    fields: dict[str, Any] = json.loads(manifest.to_bytes())
    return fields


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 1),
        ("version", True),
        ("coverage", 1.5),
        ("coverage", "1"),
        ("outcome", "fake"),
        ("outcome", "no_face"),
        ("persons", []),
        ("surplus", 1),
        ("media.width", -1),
        ("media.width", 1 << 31),
        ("faces_seen", 1 << 40),
        ("notes", ["x"] * 101),
        ("media.kind", "sound"),
        ("persons.0.person", 1),
        ("persons.0.clip_sha256", "../../etc/passwd"),
        ("persons.0.clip_bytes", 11),
        ("persons.0.frames", []),
        ("persons.0.frames.0.offset", 1),
        ("persons.0.frames.0.length", 0),
        ("persons.0.frames.0.detected", 1),
        ("persons.0.frames.0.time_s", 1e999),
        ("persons.0.frames.0.box.width", 0),
        ("persons.0.frames.0.box", None),
        ("reason", "x" * 5000),
    ],
)
def test_one_lie_is_enough(path: str, value: Any) -> None:
    fields = _good()
    read_manifest(json.dumps(fields).encode())
    *way, last = path.split(".")
    here: Any = fields
    for step in way:
        here = here[int(step)] if step.isdigit() else here[step]
    here[last] = value
    with pytest.raises(BadManifest):
        read_manifest(json.dumps(fields).encode())


def test_a_clip_whose_bytes_were_changed_is_refused() -> None:
    frame = a_frame(length=1)
    clip, person = make_clip(0, [(frame, encode(np.zeros((16, 16, 3), np.uint8), "png"))])
    assert decode_frames(clip.data, person).shape == (1, 16, 16, 3)
    for broken in (clip.data[:-1], bytes(len(clip.data)), b""):
        with pytest.raises(Refused):
            decode_frames(broken, person)


def _clip_of(data: bytes) -> tuple[bytes, Person]:
    frame = a_frame(length=1)
    clip, person = make_clip(0, [(frame, data)])
    return clip.data, person


CODINGS = ("jpeg444-q90", "png", "qoi", "mjpg")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_coded_face_says_its_size(coding: str) -> None:
    coded = encode(np.zeros((48, 112, 3), np.uint8), coding)
    assert sides(memoryview(coded)) == (112, 48)


def _unfolds(name: str) -> bytes:
    """A few bytes that ask for gigabytes."""
    tiny = np.zeros((16, 16, 3), np.uint8)
    if name == "jpeg":
        coded = encode(tiny, "jpeg444-q90")
        at = coded.index(b"\xff\xc0") + 5
        return coded[:at] + struct.pack(">HH", 30_000, 30_000) + coded[at + 4 :]
    if name == "qoi":
        coded = encode(tiny, "qoi")
        return coded[:4] + struct.pack(">II", 30_000, 30_000) + coded[12:]
    if name == "png":
        coded = encode(tiny, "png")
        header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + coded[24:29]
        return coded[:12] + header + struct.pack(">I", zlib.crc32(header)) + coded[33:]
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 24, 0, 0, 1, 1, 0, 0)
    )


@pytest.mark.parametrize("name", ["jpeg", "qoi", "png", "bmp"])
@pytest.mark.parametrize("size", [16, None])
def test_a_clip_that_unfolds_is_not_decoded(name: str, size: int | None) -> None:
    """Whoever took the decoder over could write it; it is read where no room is."""
    data, person = _clip_of(_unfolds(name))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused):
        decode_frames(data, person, size)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"qoif"])
)
def test_whatever_the_bytes_are_a_size_is_told_or_none(data: bytes, head: bytes) -> None:
    found = sides(head + data)
    assert found is None or min(found) >= 0
