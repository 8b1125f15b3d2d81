"""Windows in containers of every kind: moments as told, whether there is an index or none."""

import io
from typing import Any

import pytest

from bench.made.film import backdrop, coded
from unmask.media.budget import Budget
from unmask.media.plan import plan
from unmask.media.reading import read
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.spec import ScanSpec

#: Six seconds in which no picture is like the one before.
FILM = [backdrop(96, 64, seed=index) for index in range(150)]
SPEC = ScanSpec(windows=3, frames=5)
X264: dict[str, Any] = {"codec": "libx264"}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": X264,
    "mp4 in fragments": X264 | {"container": "mp4", "muxer": {"movflags": "+frag_keyframe"}},
    "mkv": X264 | {"container": "matroska"},
    "mkv, as it was broadcast": X264 | {"container": "matroska", "muxer": {"live": "1"}},
    "webm": {"container": "webm", "codec": "libvpx-vp9"},
    "avi": {"container": "avi", "codec": "mpeg4"},
    "transport stream, one key frame": X264 | {"container": "mpegts"},
    "transport stream, one key frame, decoded out of order": X264
    | {"container": "mpegts", "options": {"preset": "medium"}},
    "transport stream": X264 | {"container": "mpegts", "options": {"g": "25"}},
    "program stream": {"container": "mpeg", "codec": "mpeg2video"},
    "flv": X264 | {"container": "flv"},
    "asf": {"container": "asf", "codec": "wmv2"},
    "ogg": {"container": "ogg", "codec": "libvpx"},
    "mxf": {"container": "mxf", "codec": "mpeg2video", "pixels": "yuv422p"},
    "ivf": {"container": "ivf", "codec": "libvpx-vp9"},
    "gif": {"container": "gif", "codec": "gif", "pixels": "rgb8"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_has_its_pictures_at_their_moments(kind: str) -> None:
    data = coded(FILM, **KINDS[kind])
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        info, told = source.info, {picture.time_s for picture in source.pictures(0.0)}
    # A program stream tells nearly all of it.
    assert info.duration_s == pytest.approx(6.0, abs=0.25), "nobody knows where to look"
    # A program stream stamps only some of its pictures.
    assert len(told) >= len(FILM) - 2
    assert min(told) == 0
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        windows = plan(info.duration_s, SPEC, info.frame_rate).windows
        taken = list(read(source, plan(info.duration_s, SPEC, info.frame_rate)))
        assert (source.broken_packets, source.last_error) == (0, ""), "nothing is broken"
    for window in windows:
        moments = [each.picture.time_s for each in taken if each.window == window]
        assert len(moments) == SPEC.frames
        assert set(moments) <= told
        assert abs(moments[0] - window.start_s) <= window.slack_s + 0.05


@pytest.mark.parametrize(
    "kind", [*(kind for kind in KINDS if "one key" in kind), "mkv", "gif", "mp4"]
)
def test_going_back_and_forth(kind: str) -> None:
    data = coded(FILM, **KINDS[kind])
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        for moment in (3.0, 1.0, 5.0, 0.0, 4.0):
            first = next(source.pictures(moment))
            assert first.time_s == pytest.approx(moment, abs=0.041)
            assert first.time_s >= moment - 1e-6


def test_a_film_without_a_container_is_as_long_as_its_pictures_are() -> None:
    """MPEG-1 of no fixed rate claims so many bits a second that it would be over at once."""
    data = coded(FILM, container="mpeg1video", codec="mpeg1video")
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(6.0, abs=0.1)
        assert sum(1 for _ in source.pictures(0.0)) == len(FILM)
        assert (source.broken_packets, source.last_error) == (0, "")
