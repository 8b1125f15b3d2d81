"""A film with fewer frames a second than the spec asks for is looked at once, not twice."""

import pytest

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
