"""A window that may move begins at a key frame: nothing before it is decoded."""

import io
from itertools import islice

import pytest

from bench.made.film import coded, one_face
from unmask.media.budget import Budget
from unmask.media.source import opened
from unmask.media.values import Limits

PICTURES = one_face(90, lambda i: (60 + i, 60), lambda _: 40, size=(160, 120)).pictures


@pytest.mark.parametrize("reordered", [0, 3])
def test_no_run_up(reordered: int) -> None:
    options = {"preset": "veryfast", "g": "30", "keyint_min": "30", "sc_threshold": "0"}
    options["bf"] = str(reordered)
    film = coded(PICTURES, rate=30, options=options)
    with opened(io.BytesIO(film), Budget(Limits())) as source:
        key = source.near(1.7, 0.5)
        before = source.frames_decoded
        first = next(islice(source.pictures(key), 1))
        assert first.time_s == pytest.approx(key, abs=0.001)
        assert key == pytest.approx(2.0, abs=0.1)
        assert source.frames_decoded - before == 1
