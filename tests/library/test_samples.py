"""The samples are what their README says."""

import re
from pathlib import Path

import pytest

from unmask.errors import Refused
from unmask.media import extract
from unmask.media.values import Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NOT_SAMPLES = frozenset({".py", ".md", ".pyc"})
TOTAL_BYTES = 3_000_000
#: A face that is meant to be judged is well above the least size.
CLEAR_FACE_PX = 80
VERDICTS = frozenset({Outcome.FAKE, Outcome.REAL, Outcome.UNSURE})
ROW = re.compile(r"^\| `([^`]+)` \|[^|]+\|([^|]+)\|", re.MULTILINE)


def described() -> dict[str, frozenset[Outcome]]:
    rows = ROW.findall((SAMPLES / "README.md").read_text())
    return {name: frozenset(map(Outcome, re.findall(r"`(\w+)`", cell))) for name, cell in rows}


TABLE = described()
JUDGED = sorted(name for name, outcomes in TABLE.items() if outcomes <= VERDICTS)
UNJUDGED = sorted(TABLE.keys() - set(JUDGED))


def seen(name: str) -> Manifest:
    with (SAMPLES / name).open("rb") as file:
        *_, manifest = extract(file, ScanSpec(), Limits())
    assert isinstance(manifest, Manifest)
    return manifest


def outcome_without_model(name: str) -> tuple[Outcome | None, str]:
    try:
        manifest = seen(name)
    except Refused as refused:
        return refused.outcome, refused.reason
    return manifest.outcome, manifest.reason


def test_every_sample_is_described_and_every_description_has_its_sample() -> None:
    there = {
        path.name
        for path in SAMPLES.rglob("*")
        if path.is_file() and path.suffix not in NOT_SAMPLES
    }
    assert there == TABLE.keys()


def test_the_samples_are_small() -> None:
    assert sum((SAMPLES / name).stat().st_size for name in TABLE) <= TOTAL_BYTES


def test_together_they_show_what_a_local_file_can_end_as() -> None:
    assert frozenset().union(*TABLE.values()) == VERDICTS | {
        Outcome.NO_FACE,
        Outcome.TOO_SMALL,
        Outcome.TOO_SHORT,
        Outcome.NOT_MEDIA,
        Outcome.UNDECODABLE,
    }


@pytest.mark.parametrize("name", UNJUDGED)
def test_what_needs_no_model_ends_as_described(name: str) -> None:
    outcome, reason = outcome_without_model(name)
    assert {outcome} == TABLE[name], reason
    assert reason
    assert "Errno" not in reason


@pytest.mark.parametrize("name", JUDGED)
def test_what_a_model_judges_has_clear_faces(name: str) -> None:
    manifest = seen(name)
    assert manifest.outcome is None, manifest.reason
    assert len(manifest.persons) == (2 if name == "two-people.mp4" else 1)
    sides = [frame.face_px for person in manifest.persons for frame in person.frames]
    assert min(sides) >= CLEAR_FACE_PX


def test_of_a_truncated_film_only_the_beginning_is_seen() -> None:
    manifest = seen("truncated.mp4")
    duration = manifest.media.duration_s
    assert manifest.partial
    assert duration
    assert max(frame.time_s for frame in manifest.persons[0].frames) < 0.7 * duration
