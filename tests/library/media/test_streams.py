"""A file of several video streams: the longest is the film, and the others are told."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from bench.made.film import backdrop
from tests.making.extracted import extracted
from unmask.media.budget import Budget
from unmask.media.holes import Holed, Range
from unmask.media.source import opened
from unmask.media.streams import the_film
from unmask.media.values import Limits, MediaInfo
from unmask.spec import ScanSpec

RATE = 25
DECOY, FILM = (48, 32), (64, 48)
TOLD = "it holds 2 video streams; only the main one was looked at"
CONTAINERS = [
    ("matroska", "libx264"),
    ("mpegts", "libx264"),
    ("mp4", "libx264"),
    ("avi", "mpeg4"),
    ("nut", "libx264"),
]
Part = tuple[tuple[int, int], float]


def woven(container: str, codec: str, parts: Sequence[Part], default: int | None = None) -> bytes:
    """Streams side by side, each of its own size and length in seconds."""
    with tempfile.NamedTemporaryFile() as target:
        with av.open(target.name, "w", format=container) as output:
            streams = [_stream(output, codec, size) for size, _ in parts]
            if default is not None:
                streams[default].disposition = Disposition.default
            for index in range(round(max(length_s for _, length_s in parts) * RATE)):
                for stream, (size, length_s) in zip(streams, parts, strict=True):
                    if index < length_s * RATE:
                        picture = np.roll(backdrop(*size), index, axis=1)
                        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            for stream in streams:
                output.mux(stream.encode(None))
        return Path(target.name).read_bytes()


def _stream(output: Any, codec: str, size: tuple[int, int]) -> Any:
    stream = output.add_stream(codec, rate=RATE)
    (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
    return stream


def probed(file: Any) -> tuple[MediaInfo, str, list[float]]:
    with opened(file, Budget(Limits())) as source:
        return source.info, source.left_aside, [one.time_s for one in source.pictures(0.0)]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["decoy-first", "film-first"])
def test_a_short_decoy_hides_no_film(container: str, codec: str, order: tuple[int, int]) -> None:
    parts: list[Part] = [(DECOY, 1.0), (FILM, 4.0)]
    data = woven(container, codec, [parts[place] for place in order])
    info, left_aside, moments = probed(io.BytesIO(data))
    assert (info.width, info.height) == FILM
    assert info.duration_s == pytest.approx(4.0, abs=0.1)
    assert len(moments) == 4 * RATE
    assert left_aside == TOLD


def test_a_decoy_that_is_to_be_played_hides_none_either() -> None:
    data = woven("matroska", "libx264", [(DECOY, 1.0), (FILM, 4.0)], default=0)
    info, _, _ = probed(io.BytesIO(data))
    assert (info.width, info.height) == FILM


def test_a_tag_that_lies_is_not_believed_where_packets_tell() -> None:
    data = woven("matroska", "libx264", [(DECOY, 1.0), (FILM, 4.0)])
    info, _, _ = probed(io.BytesIO(data.replace(b"00:00:01.000", b"09:00:01.000")))
    assert (info.width, info.height) == FILM
    assert info.duration_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(("default", "wanted"), [(1, FILM), (0, DECOY)])
def test_of_two_as_long_the_one_to_be_played_is_looked_at(
    default: int, wanted: tuple[int, int]
) -> None:
    data = woven("matroska", "libx264", [(DECOY, 2.0), (FILM, 2.0)], default=default)
    info, left_aside, _ = probed(io.BytesIO(data))
    assert ((info.width, info.height), left_aside) == (wanted, TOLD)


@pytest.mark.parametrize(
    ("lengths", "default", "wanted"),
    [
        ([59.4, 59.6], 0, 0),
        ([59.4, 59.6], 1, 1),
        ([59.6, 59.4], 1, 1),
        ([59.6, 59.4], None, 0),
        ([59.4, 59.6], None, 0),
        ([58.0, 59.6], 0, 1),
        ([58.0, 58.9, 59.6], 0, 1),
        ([0.0, 0.4], 0, 1),
        ([0.04, 0.9], 0, 1),
        ([None, 2.0], 0, 1),
        ([None, None], 1, 1),
    ],
)
def test_as_long_is_less_than_a_second_shorter(
    lengths: list[float | None], default: int | None, wanted: int
) -> None:
    none, played = SimpleNamespace(disposition=0), SimpleNamespace(disposition=Disposition.default)
    streams = [played if place == default else none for place in range(len(lengths))]
    assert the_film(streams, lengths) == wanted


def test_of_a_film_that_is_not_all_here_the_tags_tell(tmp_path: Path) -> None:
    data = woven("matroska", "libx264", [(DECOY, 1.0), (FILM, 4.0)])
    path = tmp_path / "film"
    path.write_bytes(data)

    def ask(place: int) -> Range:
        return place, len(data)

    with path.open("rb", buffering=0) as file:
        info, left_aside, moments = probed(Holed(file.fileno(), [], ask))
    assert ((info.width, info.height), left_aside, len(moments)) == (FILM, TOLD, 4 * RATE)


def test_the_manifest_tells_of_the_others() -> None:
    data = woven("mpegts", "libx264", [(DECOY, 1.0), (FILM, 3.0)])
    _, manifest = extracted(data, ScanSpec())
    assert (manifest.media.width, manifest.notes) == (FILM[0], (TOLD,))
    assert not manifest.partial


def test_one_film_and_its_cover_are_one_film() -> None:
    assert probed(io.BytesIO(woven("matroska", "libx264", [(FILM, 1.0)])))[1] == ""
    info, left_aside, moments = probed(animated_avif())
    assert (info.kind, len(moments), left_aside) == ("video", 6, "")


def test_how_clear_an_animation_is_is_no_other_film() -> None:
    info, left_aside, moments = probed(animated_avif(opaque=40))
    assert (info.kind, len(moments), left_aside) == ("video", 6, "")


def animated_avif(opaque: int | None = None) -> io.BytesIO:
    """It begins with its first picture as a stream of its own; so does what is clear in it."""
    first, *rest = [Image.fromarray(np.roll(backdrop(64, 48), step, axis=1)) for step in range(6)]
    if opaque is not None:
        for picture in (first, *rest):
            picture.putalpha(Image.new("L", picture.size, opaque))
    target = io.BytesIO()
    first.save(target, "AVIF", save_all=True, append_images=rest, duration=100)
    return target
