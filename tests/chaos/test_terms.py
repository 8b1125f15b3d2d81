"""No object outlives its term, and none goes before it, whenever the sweep dies over it."""

import dataclasses
import time

import psutil
import pytest

from infra.objects import open_store
from tests.chaos import oracle
from tests.chaos.deeds import uri
from tests.chaos.fleet import CAMPAIGN, Fleet, thaw
from tests.chaos.points import FREEZE, MEMORY, PLACES
from tests.chaos.surroundings import TAKEN_S, TIDY_S
from unmask.model.shelf import find_bundle

ITEMS = 12
CLIPS_S, EVIDENCE_S = 4.0, 12.0
#: After the last term: the sweep dies, starts again, takes the lead and looks.
GONE_WITHIN_S = 60.0


@pytest.mark.parametrize("place", ["doom:before", "doom:after", "gone:before", "gone:after"])
def test_a_sweep_that_dies_while_it_deletes(fleet: Fleet, place: str) -> None:
    items = map(uri, range(ITEMS))
    accepted = fleet.submit(items, keep_clips_s=CLIPS_S, keep_evidence_s=EVIDENCE_S)
    kept = fleet.submit(map(uri, range(ITEMS, ITEMS + 2)), "kept")
    fleet.mortal.add("sweep")
    fleet.start("cpu", "gpu")
    fleet.start("sweep", **{PLACES: place, TIDY_S: "0.5"})
    fleet.until_ended()
    fleet.until_ended("kept")
    fleet.until(lambda: not keys_of(fleet, CAMPAIGN), GONE_WITHIN_S, lambda: f"{left(fleet)}")
    assert (fleet.memory / place).exists(), f"{MEMORY} knows of no death at {place}"
    told = "a result does not say what is gone"
    fleet.until(lambda: all_marked(fleet, clips=True), told=lambda: told)
    oracle.check(fleet, accepted=accepted)
    oracle.check(fleet, accepted=kept, name="kept")
    assert len(keys_of(fleet, "kept")) >= 2 * kept, "what has no term went too"
    for row in fleet.ledger.results(CAMPAIGN):
        gone = row.clips_removed_at, row.evidence_removed_at
        assert row.finished_at
        assert all(one and one >= row.finished_at for one in gone)
        assert (row.outcome, row.evidence) == ("unsure", []), "the verdict stays"


def test_a_frozen_sweep_wakes_up_too_late_to_delete(fleet: Fleet) -> None:
    """Another one deleted what it was about to delete, and the same contents were cut again."""
    fleet.extra[TAKEN_S] = "6"
    addresses = [uri(number) for number in range(ITEMS)]
    fleet.submit(addresses, "before", extract_only=True, keep_clips_s=0.0)
    fleet.start("cpu", "gpu")
    fleet.start("sweep", **{PLACES: "take:after", FREEZE: "yes", TIDY_S: "0.5"})
    fleet.until(lambda: is_frozen(fleet, "sweep"), told=fleet.report)
    fleet.start("sweep-2", **{TIDY_S: "0.5"})
    fleet.until_ended("before")
    fleet.until(lambda: not left(fleet), GONE_WITHIN_S, lambda: f"{left(fleet)}")
    accepted = fleet.submit(addresses)
    fleet.until_ended()
    stored = set(left(fleet))
    thaw([fleet.process("sweep")])
    fleet.until(lambda: "is left to the next round" in fleet.log("sweep"), told=fleet.report)
    oracle.check(fleet, accepted=accepted)
    assert set(left(fleet)) == stored
    assert len(stored) >= 2 * ITEMS


def is_frozen(fleet: Fleet, name: str) -> bool:
    return bool(fleet.process(name).status() == psutil.STATUS_STOPPED)


def test_two_scan_specs_keep_their_own_pictures(fleet: Fleet) -> None:
    """The stand-ins cut the same face of the same file under both."""
    short = fleet.submit(map(uri, range(ITEMS)), keep_clips_s=CLIPS_S, keep_evidence_s=CLIPS_S)
    other = dataclasses.replace(find_bundle("lite").spec, windows=3)
    ever = fleet.submit(map(uri, range(ITEMS)), "ever", spec=other)
    fleet.start("cpu", "gpu")
    fleet.start("sweep", **{TIDY_S: "0.5"})
    fleet.until_ended()
    fleet.until_ended("ever")
    fleet.until(lambda: all_marked(fleet), told=lambda: "a picture outlived its term")
    oracle.check(fleet, accepted=short)
    oracle.check(fleet, accepted=ever, name="ever")
    stored = set(left(fleet))
    for row in fleet.ledger.results("ever"):
        assert row.evidence
        assert stored >= set(row.evidence)
        assert row.evidence_removed_at is None


def all_marked(fleet: Fleet, *, clips: bool = False) -> bool:
    marks = (
        (row.evidence_removed_at, row.clips_removed_at or not clips)
        for row in fleet.ledger.results(CAMPAIGN)
    )
    return all(all(each) for each in marks)


def keys_of(fleet: Fleet, name: str) -> list[str]:
    """What lies in the store of the contents of a campaign."""
    contents = {row.sha256 for row in fleet.ledger.results(name)}
    return [one for one in left(fleet) if one.split("/")[1] in contents]


def left(fleet: Fleet) -> list[str]:
    return [one.key for one in open_store(fleet.store).list()]


def test_nothing_goes_before_its_term(fleet: Fleet) -> None:
    accepted = fleet.submit(map(uri, range(ITEMS)), keep_clips_s=3600.0, keep_evidence_s=CLIPS_S)
    fleet.start("cpu", "gpu")
    fleet.start("sweep", **{TIDY_S: "0.5"})
    fleet.until_ended()
    until = time.monotonic() + GONE_WITHIN_S
    fleet.until(lambda: all_marked(fleet) or time.monotonic() > until, GONE_WITHIN_S)
    kinds = {one.split("/")[0] for one in left(fleet)}
    assert kinds == {"clips"}
    oracle.check(fleet, accepted=accepted)
