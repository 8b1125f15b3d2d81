"""Windows in containers of every kind: moments as told, whether there is an index or none."""

import io
from typing import Any

import pytest

from bench.made.film import coded, one_face
from tests.making.extracted import extracted
from tests.making.numbered import number, numbered
from unmask.media.budget import Budget
from unmask.media.plan import plan
from unmask.media.reading import read
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.media.video import Video
from unmask.spec import ScanSpec

RATE = 25
#: Six seconds in which every picture shows its number.
FILM = [numbered(index) for index in range(150)]
SPEC = ScanSpec(windows=3, frames=5)
X264: dict[str, Any] = {"codec": "libx264"}
X265: dict[str, Any] = {"codec": "libx265", "options": {"x265-params": "log-level=none"}}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": X264,
    "mp4 in fragments": X264 | {"container": "mp4", "muxer": {"movflags": "+frag_keyframe"}},
    "mkv": X264 | {"container": "matroska"},
    "mkv, as it was broadcast": X264 | {"container": "matroska", "muxer": {"live": "1"}},
    "webm": {"container": "webm", "codec": "libvpx-vp9"},
    "avi": {"container": "avi", "codec": "mpeg4"},
    "avi, decoded out of order": X264 | {"container": "avi", "options": {"preset": "medium"}},
    "avi, decoded out of order, many key frames": X264
    | {"container": "avi", "options": {"preset": "medium", "g": "25"}},
    "avi, decoded out of order, as Xvid does": {
        "container": "avi",
        "codec": "mpeg4",
        "options": {"bf": "2", "g": "25"},
    },
    "transport stream, one key frame": X264 | {"container": "mpegts"},
    "transport stream, one key frame, decoded out of order": X264
    | {"container": "mpegts", "options": {"preset": "medium"}},
    "transport stream": X264 | {"container": "mpegts", "options": {"g": "25"}},
    "program stream": {"container": "mpeg", "codec": "mpeg2video"},
    "flv": X264 | {"container": "flv"},
    "asf": {"container": "asf", "codec": "wmv2"},
    "asf, decoded out of order": {
        "container": "asf",
        "codec": "mpeg4",
        "options": {"bf": "2", "g": "25"},
    },
    "ogg": {"container": "ogg", "codec": "libvpx"},
    "mxf": {"container": "mxf", "codec": "mpeg2video", "pixels": "yuv422p"},
    "ivf": {"container": "ivf", "codec": "libvpx-vp9"},
    "h264": X264 | {"container": "h264", "options": {"preset": "medium"}},
    "hevc": X265 | {"container": "hevc"},
    "gif": {"container": "gif", "codec": "gif", "pixels": "rgb8"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_has_its_pictures_at_their_moments(kind: str) -> None:
    data = coded(FILM, **KINDS[kind])
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        info = source.info
        told = {picture.time_s: number(picture) for picture in source.pictures(0.0)}
    # A program stream tells nearly all of it.
    assert info.duration_s == pytest.approx(6.0, abs=0.25), "nobody knows where to look"
    # A program stream stamps only some of its pictures.
    assert len(told) >= len(FILM) - 2
    assert min(told) == 0
    # Its writer stamps a few of them one picture late.
    late = 1.05 if kind == "program stream" else 0.05
    assert told == pytest.approx({moment: moment * RATE for moment in told}, abs=late)
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        windows = plan(info.duration_s, SPEC, info.frame_rate).windows
        taken = list(read(source, plan(info.duration_s, SPEC, info.frame_rate)))
        assert (source.broken_packets, source.last_error) == (0, ""), "nothing is broken"
    for window in windows:
        moments = [each.picture.time_s for each in taken if each.window == window]
        assert len(moments) == SPEC.frames
        assert set(moments) <= set(told)
        seen = [number(each.picture) for each in taken if each.window == window]
        assert seen == [told[moment] for moment in moments], "it shows what is shown then"
        assert abs(moments[0] - window.start_s) <= window.slack_s + 0.05


@pytest.mark.parametrize(
    "kind",
    [
        *(kind for kind in KINDS if "one key" in kind or "out of order" in kind),
        *("mkv", "gif", "mp4", "h264", "hevc"),
    ],
)
def test_going_back_and_forth(kind: str) -> None:
    data = coded(FILM, **KINDS[kind])
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        for moment in (3.0, 1.0, 5.0, 0.0, 4.0):
            first = next(source.pictures(moment))
            assert first.time_s == pytest.approx(moment, abs=0.041)
            assert first.time_s >= moment - 1e-6
            assert number(first) == round(first.time_s * RATE)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "transport stream", "h264", "gif"])
def test_a_moment_asked_for_again_shows_the_same_picture(kind: str) -> None:
    """A glance that sees somebody is followed by a window from that very picture on."""
    with opened(io.BytesIO(coded(FILM, **KINDS[kind])), Budget(Limits())) as source:
        for moment in (0.0, 3.0, 5.96):
            shown = [next(source.pictures(moment)) for _ in range(3)]
            assert [one.time_s for one in shown] == pytest.approx([moment] * 3)
            assert [number(one) for one in shown] == [round(moment * RATE)] * 3


def test_where_seeking_fails_every_moment_is_reached_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And nobody tries again: the film is read, and for what lies behind it is opened anew."""
    tried = list[float]()

    def fail(_video: Video, target_s: float) -> bool:
        tried.append(target_s)
        return False

    monkeypatch.setattr(Video, "_jump", fail)
    with opened(io.BytesIO(coded(FILM, **KINDS["avi"])), Budget(Limits())) as source:
        for moment in (3.0, 1.0, 5.0, 0.0):
            first = next(source.pictures(moment))
            assert (first.time_s, number(first)) == (moment, round(moment * RATE))
        assert (source.broken_packets, source.last_error) == (0, "")
    assert tried == [3.0]


@pytest.mark.parametrize("container", ["h264", "hevc"])
def test_a_camera_without_a_container(container: str) -> None:
    """Nobody can seek in what it writes: it is read from the beginning."""
    scene = one_face(75, lambda i: (200 + i, 150), size=(480, 320))
    coding = X264 if container == "h264" else X265
    _, manifest = extracted(coded(scene.pictures, **coding, container=container), SPEC)
    (person,) = manifest.persons
    assert {frame.window for frame in person.frames} == {0, 1, 2}
    assert (manifest.partial, manifest.notes) == (False, ())


def test_a_film_without_a_container_is_as_long_as_its_pictures_are() -> None:
    """MPEG-1 of no fixed rate claims so many bits a second that it would be over at once."""
    data = coded(FILM, container="mpeg1video", codec="mpeg1video")
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(6.0, abs=0.1)
        assert sum(1 for _ in source.pictures(0.0)) == len(FILM)
        assert (source.broken_packets, source.last_error) == (0, "")


@pytest.mark.parametrize(("kind", "tables"), [("transport stream", 3 * 188), ("program stream", 0)])
def test_a_recording_that_begins_inside_a_group_ends_with_its_last_picture(
    kind: str, tables: int
) -> None:
    """What comes before its first key frame are packets without a picture: none lies behind it."""
    whole = coded(FILM, **KINDS[kind] | {"options": {"g": "25"}})
    data = whole[:tables] + whole[len(whole) // 188 // 15 * 188 :]
    spec = ScanSpec(windows=10, frames=10)
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        assert source.info.duration_s == pytest.approx(5.0, abs=0.05)
        wanted = plan(source.info.duration_s, spec, source.info.frame_rate)
        last = [each for each in read(source, wanted) if each.window == wanted.windows[-1]]
        assert len(last) == spec.frames


def test_what_is_broken_counts_once_however_often_reading_comes_by() -> None:
    data = bytearray(coded(FILM, **X264))
    data[len(data) // 3 : len(data) * 2 // 3] = bytes(len(data) * 2 // 3 - len(data) // 3)
    told = set[int]()
    with opened(io.BytesIO(bytes(data)), Budget(Limits())) as source:
        for _ in range(3):
            assert sum(1 for _ in source.pictures(0.0)) > 0
            told.add(source.broken_packets)
    (broken,) = told
    assert 0 < broken < len(FILM)
