"""Moments of pictures, whatever their file says of them."""

import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest

from bench.made.film import coded
from tests.making.numbered import number, numbered
from tests.making.shown import pictures
from unmask.media.budget import Budget
from unmask.media.clock import Clock
from unmask.media.picture import Picture
from unmask.media.plan import plan
from unmask.media.reading import read
from unmask.media.source import opened
from unmask.media.values import Limits, MediaInfo
from unmask.spec import ScanSpec

RATE = 25
FILM = [numbered(index) for index in range(100)]
#: Pictures are coded in another order than they are shown in.
REORDERED = {"preset": "medium", "bf": "3", "g": "25"}
_AS_THEY_ARE = {"avoid_negative_ts": "disabled"}


def told_of(shown: Iterable[Picture]) -> list[tuple[int, int]]:
    """When each picture is shown, in frames, and which one it is."""
    return [(round(picture.time_s * RATE), number(picture)) for picture in shown]


def moments(data: bytes) -> list[tuple[int, int]]:
    return told_of(pictures(data))


@pytest.mark.parametrize(
    ("container", "codec"),
    [("avi", "libx264"), ("avi", "mpeg4"), ("asf", "mpeg4"), ("mpeg2video", "mpeg2video")],
)
def test_the_first_picture_is_at_zero_and_all_others_where_they_belong(
    container: str, codec: str
) -> None:
    options = REORDERED if codec == "libx264" else {"bf": "2", "g": "12"}
    data = coded(FILM, container=container, codec=codec, options=options)
    assert moments(data) == [(index, index) for index in range(len(FILM))]


def restamped(
    data: bytes,
    container: str,
    stamp: Callable[[Any, int], None],
    muxer: dict[str, str] | None = None,
) -> bytes:
    """The same packets under other stamps; `stamp` is given each, and its place."""
    with tempfile.NamedTemporaryFile() as target:
        with (
            av.open(io.BytesIO(data), "r") as source,
            av.open(
                target.name, "w", format=container, options=_AS_THEY_ARE | (muxer or {})
            ) as output,
        ):
            film = source.streams.video[0]
            copied = output.add_stream_from_template(film)
            for place, packet in enumerate(source.demux(film)):
                if packet.size:
                    stamp(packet, place)
                    packet.stream = copied
                    output.mux(packet)
        return Path(target.name).read_bytes()


def stamped_as_decoded(
    data: bytes, container: str = "matroska", muxer: dict[str, str] | None = None
) -> bytes:
    """As programs write who know of no other order."""

    def stamp(packet: Any, place: int) -> None:
        packet.pts = packet.dts = place
        packet.duration, packet.time_base = 1, Fraction(1, RATE)

    return restamped(data, container, stamp, muxer)


def test_no_picture_is_lost_where_the_clock_turns_over_on_the_way() -> None:
    """A transport stream counts to 2^33: stamps before that are told as if below zero."""
    before = (1 << 33) - 5 * 90_000

    def stamp(packet: Any, _place: int) -> None:
        packet.pts, packet.dts = packet.pts + before, packet.dts + before

    data = restamped(coded(FILM, container="mpegts", options=REORDERED), "mpegts", stamp)
    assert moments(data) == [(index, index) for index in range(len(FILM))]


def test_where_nothing_is_shown_for_long_nothing_is_read_again() -> None:
    """Several windows lie in the gap, and all of them go on from where it ends."""

    def stamp(packet: Any, place: int) -> None:
        if place >= 50:
            packet.pts, packet.dts = packet.pts + 30_000, packet.dts + 30_000

    film = coded(FILM, container="matroska", options={"g": "250"})
    data = restamped(film, "matroska", stamp)
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        windows = plan(source.info.duration_s, ScanSpec(windows=7, frames=10), RATE)
        told = [number(each.picture) for each in read(source, windows)]
        assert told == sorted(set(told))
        assert set(told) >= set(range(50, 100))
        assert source.frames_decoded <= len(FILM) + 2


def test_stamps_of_decoding_in_place_of_showing_are_seen_through() -> None:
    told = moments(stamped_as_decoded(coded(FILM, options=REORDERED)))
    assert [shown for _, shown in told] == list(range(len(FILM)))
    # Until the first step back nobody can know.
    assert told[8:] == [(index, index) for index in range(8, len(FILM))]


FRAME_TICKS = {"video_track_timescale": str(RATE)}


@pytest.mark.parametrize("container", ["mp4", "mov", "mxf"])
def test_where_a_tick_is_as_long_as_a_frame_they_are_seen_through_too(container: str) -> None:
    """A picture that has to wait does not push all others behind it."""
    data = coded(FILM, container="mxf", options=REORDERED)  # which is stamped so by its muxer
    if container != "mxf":
        data = stamped_as_decoded(coded(FILM, options=REORDERED), container, FRAME_TICKS)
    told = moments(data)
    assert [shown for _, shown in told] == list(range(len(FILM)))
    assert told[8:] == [(index, index) for index in range(8, len(FILM))]
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        for moment in (2.0, 1.0, 3.0):
            first = next(source.pictures(moment))
            assert (first.time_s, number(first)) == (moment, round(moment * RATE))


def shown(stamps: Sequence[tuple[int | None, int | None]], container: str = "mp4") -> list[float]:
    """By a clock of a hundred ticks a second, and ten pictures; stamps of pictures and packets."""
    stream: Any = SimpleNamespace(
        time_base=Fraction(1, 100),
        average_rate=Fraction(10),
        container=SimpleNamespace(format=SimpleNamespace(name=container)),
    )
    clock, told = Clock(stream), list[float]()
    for picture, packet in stamps:
        frame: Any = SimpleNamespace(pts=picture, dts=packet, duration=10)
        clock.show(frame)
        told.append(clock.now)
    assert clock.until == pytest.approx(clock.now + 0.1)
    return told


def test_without_stamps_pictures_are_counted() -> None:
    assert shown([(None, None)] * 3) == [0, 0.1, 0.2]


def test_between_stamps_pictures_are_counted() -> None:
    assert shown([(50, None), (None, None), (None, None), (85, None)]) == [0, 0.1, 0.2, 0.35]


def test_a_stamp_told_twice_is_no_moment_twice() -> None:
    assert shown([(0, 0), (10, 10), (10, 10), (20, 20)]) == [0, 0.1, 0.11, 0.2]


def test_the_last_pictures_keep_their_own_stamps_where_one_was_told_twice() -> None:
    """They come without a packet."""
    twice = [(0, 0), (10, 10), (10, 20), (30, 30)]
    assert shown([*twice, (45, None), (57, None)]) == [0, 0.1, 0.2, 0.3, 0.45, 0.57]
    often_wrong = [*twice, (50, 40), (40, 50)]
    assert shown([*often_wrong, (85, None), (77, None)])[-2:] == [0.6, 0.7]


def test_a_stamp_far_ahead_moves_no_other() -> None:
    stamps = [(0, 0), (10, 10), (9000, 20), (30, 30), (40, 40)]
    assert shown(stamps) == [0, 0.1, 90, 0.3, 0.4]


def test_where_another_film_begins_time_goes_on() -> None:
    """Even where its pictures were decoded in another order: packets go back before pictures do."""
    one = [(0, 0), (10, 10), (20, 20)]
    first = [(900 + picture, 900 + packet) for picture, packet in one]
    assert shown(first + one) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    reordered = [(900, 900), (910, 910), (920, 0), (930, 10), (0, 20), (10, 30), (20, 40)]
    assert shown(reordered) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


@pytest.mark.parametrize("options", [{"g": "25"}, REORDERED])
def test_of_joined_films_each_picture_has_its_moment_and_it_is_told(
    options: dict[str, str],
) -> None:
    """As `cat one.ts other.ts` joins them, or a recorder that was restarted."""
    parts = [coded(part, container="mpegts", options=options) for part in (FILM[:50], FILM[50:])]
    with opened(io.BytesIO(b"".join(parts)), Budget(Limits())) as source:
        told = told_of(source.pictures(0.0))
        assert source.broken_packets == 1
        assert source.last_error == "its time goes back by 2.00 s after 2.00 s, as in joined films"
    assert told == [(index, index) for index in range(len(FILM))]


def test_an_avi_is_told_by_its_packets() -> None:
    """The last pictures come without one."""
    stamps = [(10, 20), (40, 30), (30, 40), (50, 50), (20, None)]
    assert shown(stamps, "avi") == [0, 0.1, 0.2, 0.3, 0.4]


def test_the_rate_of_a_clock_is_no_frame_rate() -> None:
    """Raw DV tells the ticks of its clock; so does Matroska where two pictures have one stamp."""
    shown = [np.asarray(cv2.resize(one, (720, 576)), np.uint8) for one in FILM[:RATE]]
    assert info_of(coded(shown, container="dv", codec="dvvideo")).frame_rate == RATE

    times = [place * 40 + place * place % 7 for place in range(len(FILM))]

    def stamp(packet: Any, _place: int) -> None:
        if packet.pts == times[60]:
            packet.pts = packet.dts = times[59]

    film = coded(FILM, container="matroska", times=times, options={"bf": "0"})
    assert info_of(film).frame_rate == pytest.approx(RATE, abs=1)
    assert info_of(restamped(film, "matroska", stamp)).frame_rate == RATE


def info_of(data: bytes) -> MediaInfo:
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        return source.info
