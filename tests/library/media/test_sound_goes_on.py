"""Sound that is longer than the picture: the film is as long as its pictures are."""

import io
import tempfile
from pathlib import Path
from typing import Any

import av
import pytest

from bench.made.film import backdrop, one_face
from tests.making.extracted import extracted
from unmask.media.budget import Budget
from unmask.media.length import lengths_by_the_end
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.media.video import open_container
from unmask.spec import ScanSpec

RATE, SAMPLES, BLOCK = 25, 48000, 1024
FILM_S, SOUND_S = 4.0, 30.0
NOBODY = [backdrop(64, 48, seed=index) for index in range(round(FILM_S * RATE))]
#: Container → how its pictures and its sound are coded.
CODECS = {
    "mp4": ("libx264", "aac"),
    "matroska": ("libx264", "aac"),
    "webm": ("libvpx-vp9", "libopus"),
    "flv": ("libx264", "aac"),
    "asf": ("wmv2", "ac3"),
    "avi": ("mpeg4", "mp3"),
    "mpegts": ("libx264", "aac"),
    "mpeg": ("mpeg2video", "mp2"),
    "ogg": ("libvpx", "libopus"),
    "nut": ("libx264", "aac"),
}


def with_sound(container: str, pictures: list[Any], sound_s: float) -> bytes:
    video, audio = CODECS[container]
    with tempfile.NamedTemporaryFile() as target:
        with av.open(target.name, "w", format=container) as output:
            film: Any = output.add_stream(video, rate=RATE)
            (film.height, film.width), film.pix_fmt = pictures[0].shape[:2], "yuv420p"
            sound: Any = output.add_stream(audio, rate=SAMPLES, layout="stereo")
            for picture in pictures:
                output.mux(film.encode(av.VideoFrame.from_ndarray(picture)))
            output.mux(film.encode(None))
            for start in range(0, round(sound_s * SAMPLES), BLOCK):
                output.mux(sound.encode(silence(sound.codec_context.format.name, start)))
            output.mux(sound.encode(None))
        return Path(target.name).read_bytes()


def silence(samples: str, start: int) -> av.AudioFrame:
    block = av.AudioFrame(format=samples, layout="stereo", samples=BLOCK)
    for plane in block.planes:
        plane.update(bytes(plane.buffer_size))
    block.sample_rate, block.pts = SAMPLES, start
    return block


@pytest.mark.parametrize("sound_s", [FILM_S, SOUND_S], ids=["as long", "longer"])
@pytest.mark.parametrize("container", CODECS)
def test_a_film_is_as_long_as_its_pictures_are(container: str, sound_s: float) -> None:
    data = with_sound(container, NOBODY, sound_s)
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        moments = [picture.time_s for picture in source.pictures(0.0)]
        assert (source.broken_packets, source.last_error) == (0, "")
        # A program stream tells nearly all of it.
        assert source.info.duration_s == pytest.approx(FILM_S, abs=0.25)
    assert len(moments) >= len(NOBODY) - 2


@pytest.mark.parametrize("container", ["matroska", "flv", "asf"])
def test_all_of_it_is_looked_at(container: str) -> None:
    shown = one_face(100, lambda _: (160, 90), side=lambda _: 80, size=(320, 180)).pictures
    _, manifest = extracted(with_sound(container, shown, SOUND_S), ScanSpec())
    assert len({frame.window for frame in manifest.persons[0].frames}) > 3
    assert manifest.coverage > 0.9
    assert (manifest.partial, manifest.notes) == (False, ())


@pytest.mark.parametrize(
    ("sound_s", "wanted"), [(FILM_S, [pytest.approx(FILM_S, abs=0.1)]), (SOUND_S, None)]
)
def test_the_last_packets_are_enough_only_where_they_agree(sound_s: float, wanted: Any) -> None:
    with open_container(io.BytesIO(with_sound("matroska", NOBODY, sound_s))) as container:
        film = container.streams.video[0]
        assert lengths_by_the_end(container, [film], [sound_s], Budget(Limits())) == wanted


def test_an_asf_file_that_was_cut_off_says_so() -> None:
    """Its streams say no more that they end early: each is called as long as the file."""
    whole = with_sound("asf", NOBODY, FILM_S)
    _, manifest = extracted(whole[: len(whole) * 2 // 3])
    assert manifest.partial
    assert "cut off" in manifest.notes[0]
    assert not extracted(whole)[1].partial
