"""A film with fewer frames a second than the spec asks for is looked at once, not twice."""

from fractions import Fraction

import pytest

from bench.made.film import coded, one_face
from tests.making.extracted import extracted
from unmask.media.plan import window_starts
from unmask.spec import ScanSpec


@pytest.mark.parametrize("rate", [5.0, 10.0, 15.0])
def test_windows_of_slow_films_do_not_meet(rate: float) -> None:
    spec = ScanSpec()
    starts, slack = window_starts(6.0, spec, rate)
    length = spec.frames / rate
    ends = [start + slack + length for start in starts]
    later = [start - slack for start in starts[1:]]
    assert all(end <= start + 1e-9 for end, start in zip(ends, later, strict=False))


def test_a_picture_that_stays_for_long_is_no_break() -> None:
    """As in a recorded screen: the last picture stands for two seconds, and nothing is missing."""
    film = coded(
        one_face(6, lambda i: (200 + i, 150), size=(480, 320)).pictures, rate=Fraction(1, 2)
    )
    _, manifest = extracted(film)
    assert manifest.media.duration_s == pytest.approx(12.0)
    assert (manifest.partial, manifest.notes) == (False, ())
