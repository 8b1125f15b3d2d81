"""Where every window is faceless, the film is looked at again between them."""

import dataclasses

import pytest

from bench.made.film import backdrop, coded, one_face
from tests.making.extracted import extracted
from unmask.media.plan import plan
from unmask.media.second import glances, windows_at
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

SPEC = ScanSpec(windows=2, frames=10)
SHOWN = one_face(25, lambda i: (150 + i, 120), size=(320, 240))
NOBODY = [backdrop(320, 240)] * 100


def test_somebody_between_the_windows_is_found() -> None:
    """Windows lie round 2.5 and 7.5 s of ten; the face is seen from 4 to 5 s."""
    film = coded([*NOBODY, *SHOWN.pictures, *NOBODY, *NOBODY[:25]])
    _, manifest = extracted(film, SPEC)
    (person,) = manifest.persons
    assert len(person.frames) == 10
    assert all(4 <= frame.time_s < 5 for frame in person.frames)
    assert manifest.coverage == pytest.approx(3 * 0.04, abs=0.005)


def test_nobody_anywhere_is_still_an_answer() -> None:
    _, manifest = extracted(coded([*NOBODY, *NOBODY]), SPEC)
    assert manifest.outcome is Outcome.NO_FACE
    looked = int(manifest.reason.split()[3])
    _, once = extracted(coded(NOBODY[:10]), dataclasses.replace(SPEC, windows=1, moments="first"))
    assert looked > int(once.reason.split()[3])


def test_glances_lie_between_the_windows() -> None:
    windows = plan(60.0, SPEC).windows
    moments = [window.start_s for window in glances(plan(60.0, SPEC), 60.0).windows]
    assert moments == sorted(moments)
    assert len(moments) == 2 * len(windows)
    length = 10 * 0.04
    for moment in moments:
        assert all(not w.start_s <= moment <= w.start_s + length for w in windows)


def test_what_is_read_from_its_beginning_is_not_looked_at_twice() -> None:
    first = dataclasses.replace(SPEC, moments="first", windows=1)
    assert glances(plan(60.0, first), 60.0).windows == ()
    assert glances(plan(None, SPEC), None).windows == ()


def test_windows_begin_where_somebody_was_seen_and_don_t_meet() -> None:
    starts = [w.start_s for w in windows_at([9.0, 1.0, 1.1, 5.0], SPEC, 25.0).windows]
    assert starts == [1.0, 5.0]
