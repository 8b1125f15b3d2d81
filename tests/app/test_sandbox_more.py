"""What a guest may ask for while it decodes: a place in its own file, and nothing else."""

import os
from collections.abc import Iterator

import pytest

from infra.sandbox.frames import DONE, NEED, PART, PLACE, BadFrames
from infra.sandbox.more import served
from unmask.media.holes import Range


class Half:
    """Brings the first hundred bytes."""

    trouble = None
    held: tuple[Range, ...] = ((0, 10),)

    def fill(self, place: int) -> Range | None:
        return (place, 100) if place < 100 else None


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    heard, answers = os.pipe2(os.O_NONBLOCK)
    yield heard, answers
    for one in (heard, answers):
        os.close(one)


def needs(*places: int) -> Iterator[tuple[bytes, bytes]]:
    return ((NEED, PLACE.pack(place)) for place in places)


def test_a_place_is_answered_with_the_part_that_is_here_now(pipe: tuple[int, int]) -> None:
    frames = iter([*needs(10, 2**64 - 1), (DONE, b"")])
    assert list(served(frames, Half(), pipe[1])) == [(DONE, b"")]
    assert os.read(pipe[0], 100) == PART.pack(10, 100) + PART.pack(0, 0)


def test_who_has_a_whole_file_may_not_ask(pipe: tuple[int, int]) -> None:
    with pytest.raises(BadFrames, match="whole file"):
        list(served(needs(0), None, pipe[1]))


@pytest.mark.parametrize("body", [b"", b"x", bytes(16)])
def test_a_question_that_is_none_ends_it(pipe: tuple[int, int], body: bytes) -> None:
    with pytest.raises(BadFrames):
        list(served(iter([(NEED, body)]), Half(), pipe[1]))


def test_who_asks_and_does_not_listen_holds_nobody_up(pipe: tuple[int, int]) -> None:
    with pytest.raises(BadFrames, match="does not listen"):
        list(served(needs(*[50] * 100_000), Half(), pipe[1]))


def test_an_answer_to_nobody_is_no_error() -> None:
    heard, answers = os.pipe2(os.O_NONBLOCK)
    os.close(heard)
    assert list(served(needs(50), Half(), answers)) == []
    os.close(answers)
