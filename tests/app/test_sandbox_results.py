"""What leaves the room is believed only when all of it fits together."""

import io
import os
import time
from contextlib import suppress
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.frames import (
    CLIP,
    DONE,
    KINDS,
    MANIFEST,
    PERSON,
    BadFrames,
    FrameReader,
    write_frame,
)
from infra.sandbox.results import Results, most_bytes, most_clip_bytes
from tests.app.made_up_media import a_clip, manifest
from unmask.media.coding import encode
from unmask.spec import Coding, ScanSpec

SPEC = ScanSpec()


def stream(persons: int) -> bytes:
    """What a guest that found some people writes."""
    out = io.BytesIO()
    clips = [a_clip(person) for person in range(persons)]
    for clip in clips:
        write_frame(out, CLIP, PERSON.pack(clip.person), clip.data)
    write_frame(out, MANIFEST, manifest(SPEC, clips).to_bytes())
    write_frame(out, DONE)
    return out.getvalue()


def read(data: bytes, budget: int | None = None) -> Results:
    """Through a real pipe, as the worker does."""
    source, sink = os.pipe()
    try:
        os.write(sink, data)
        os.close(sink)
        results = Results(spec=SPEC)
        end = time.monotonic() + 10
        most = most_bytes(SPEC) if budget is None else budget
        results.collect(FrameReader(source, end=end, budget=most).frames())
    finally:
        os.close(source)
    return results


GOOD = stream(3)


@pytest.mark.parametrize("coding", get_args(Coding))
def test_noise_is_no_larger_than_a_clip_may_be(coding: Coding) -> None:
    """The largest picture that a coding can make of anything."""
    noise = np.random.default_rng(7).integers(0, 256, (SPEC.size, SPEC.size, 3), np.uint8)
    frames = SPEC.windows * SPEC.frames
    assert frames * len(encode(noise, coding)) <= most_clip_bytes(SPEC)


def test_a_good_stream_is_done() -> None:
    results = read(GOOD)
    assert results.done
    assert [clip.person for clip in results.clips] == [0, 1, 2]


@pytest.mark.parametrize("share", range(0, 100, 5))
def test_a_stream_that_breaks_off_is_not_done(share: int) -> None:
    assert not read(GOOD[: len(GOOD) * share // 100]).done


def test_the_budget_holds() -> None:
    assert read(GOOD, budget=len(GOOD)).done
    with pytest.raises(BadFrames):
        read(GOOD, budget=len(GOOD) - 1)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed_or_changes_only_words(place: int, flip: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= flip
    try:
        results = read(bytes(data))
    except BadFrames:
        return
    if results.done:
        assert results.manifest is not None
        assert results.clips == read(GOOD).clips


@given(st.binary(max_size=2000))
def test_random_bytes_are_never_done(data: bytes) -> None:
    with suppress(BadFrames):
        assert not read(data).done


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(max_size=200)), max_size=8))
def test_well_formed_frames_of_nonsense_are_never_done(frames: list[tuple[bytes, bytes]]) -> None:
    out = io.BytesIO()
    for kind, body in frames:
        write_frame(out, kind, body)
    with suppress(BadFrames):
        assert not read(out.getvalue()).done


def test_a_silent_pipe_is_not_waited_for_without_end() -> None:
    source, sink = os.pipe()
    try:
        with pytest.raises(TimeoutError):
            list(FrameReader(source, end=time.monotonic() + 0.1, budget=100).frames())
    finally:
        os.close(source)
        os.close(sink)
