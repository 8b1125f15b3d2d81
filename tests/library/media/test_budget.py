"""Decoding's own budget says which of time and memory ran out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bench.made.film import coded, one_face
from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.values import Limits
from unmask.outcomes import Outcome

MB = 1 << 20


def refusal(budget: Budget) -> Refused:
    with pytest.raises(Refused) as caught:
        budget.check()
    return caught.value


def test_time_runs_out() -> None:
    now = iter([100.0, 109.0, 111.0])
    budget = Budget(Limits(deadline_s=10), clock=lambda: next(now), memory=lambda: 0)
    budget.check()
    refused = refusal(budget)
    assert refused.outcome is Outcome.TIMED_OUT
    assert refused.reason == "decoding ran out of time: it did not end within 10 s"


def test_memory_runs_out_counted_from_where_it_began() -> None:
    held = iter([900 * MB, 930 * MB, 933 * MB])
    budget = Budget(Limits(memory_bytes=32 * MB), clock=lambda: 0.0, memory=lambda: next(held))
    budget.check()
    refused = refusal(budget)
    assert refused.outcome is Outcome.OVER_BUDGET
    assert refused.reason == "decoding ran out of memory: it took more than 32 MB"


def test_memory_that_was_met_ahead_of_the_file_counts() -> None:
    held = iter([932 * MB, 933 * MB])
    limits = Limits(memory_bytes=32 * MB, memory_before=900 * MB)
    budget = Budget(limits, clock=lambda: 0.0, memory=lambda: next(held))
    budget.check()
    assert refusal(budget).outcome is Outcome.OVER_BUDGET


ONCE = """
import json, os, sys
from unmask.errors import Refused
from unmask.media import extract, warm
from unmask.media.values import Limits
from unmask.spec import ScanSpec

warm(("centerface",))
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
try:
    with open(sys.argv[1], "rb") as file:
        list(extract(file, ScanSpec(), Limits(**json.loads(sys.argv[2]))))
except Refused as refused:
    print(refused.outcome, flush=True)
else:
    print("fine", flush=True)
os._exit(0)  # threads that only the parent has are not waited for
"""


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [({"memory_bytes": 8 * MB}, "over_budget"), ({"deadline_s": 0}, "timed_out"), ({}, "fine")],
)
def test_a_real_film_in_a_process_of_its_own(
    limits: dict[str, float], outcome: str, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(coded(one_face(30, lambda i: (400 + i, 300), size=(1280, 720)).pictures))
    assert ended(film, limits) == outcome


def test_the_largest_picture_that_is_allowed_fits_into_the_memory_that_is(tmp_path: Path) -> None:
    """Of sixteen bits, which take the most room on their way to eight."""
    side = int(Limits().max_pixels ** 0.5)
    path = tmp_path / "picture.png"
    Image.new("I;16", (side, side), 30_000).save(path, compress_level=1)
    assert ended(path, {}) == "fine"


def ended(path: Path, limits: dict[str, float]) -> str:
    command = [sys.executable, "-c", ONCE, str(path), json.dumps(limits)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()
