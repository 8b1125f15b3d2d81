"""Pictures go when nobody looks at them any more, without waiting for Python to look for cycles."""

import gc
import io
from collections.abc import Iterator

import pytest
from av import VideoFrame

from bench.made.film import coded, one_face
from unmask.media import extract
from unmask.media.budget import Budget
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.spec import ScanSpec

FILM = coded(one_face(40, lambda i: (100 + i, 90), size=(240, 180)).pictures)


@pytest.fixture
def no_cycles_searched() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_cycles_searched")
def test_of_all_pictures_read_only_the_last_is_kept() -> None:
    before = frames_alive()
    with opened(io.BytesIO(FILM), Budget(Limits())) as source:
        for count, _ in enumerate(source.pictures(0.0)):
            assert frames_alive() - before < 4, f"after {count} pictures"


@pytest.mark.usefixtures("no_cycles_searched")
def test_nothing_of_a_file_is_kept_when_it_is_done() -> None:
    before = frames_alive()
    list(extract(io.BytesIO(FILM), ScanSpec(), Limits()))
    assert frames_alive() == before


def frames_alive() -> int:
    # By its type: some objects warn when they are asked for their class.
    return sum(type(each) is VideoFrame for each in gc.get_objects())
