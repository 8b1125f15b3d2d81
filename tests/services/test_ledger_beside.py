"""Two processes at the same items, one in the middle of a transaction of the other.

On PostgreSQL alone: on SQLite a transaction that writes has no other beside it.
"""

import re
import threading
from dataclasses import replace

import pytest
from sqlalchemy import event

from infra.ledger import Ledger, recall
from infra.ledger.policy import Policy
from schemas.records import Campaign, Claim, Submitted
from schemas.stages import Stage
from tests.services.beside import beside
from tests.services.items import (
    claimed,
    clips,
    delete_doomed,
    digest,
    extracted,
    fetched,
    judged,
    new,
    options,
    row_of,
    stages,
    stored,
    submitted,
    to_classify,
)
from unmask.errors import TryAgain, Unusable
from unmask.outcomes import Outcome

pytestmark = pytest.mark.parametrize("address", ["postgresql"], indirect=True)


def cancel(other: Ledger) -> int:
    return other.cancel("one")


# Cancelling beside what sends items on their way


def test_a_cancel_takes_back_the_chunk_that_is_being_submitted(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    with (
        beside(ledger, "CREATE TEMPORARY TABLE", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.submit(campaign, map(new, range(5)))
    assert taken.result() == 1, "the first chunk is one line"
    assert stages(ledger) == {Stage.CANCELLED: 1}


def test_a_cancel_takes_back_what_a_rescan_is_taking_over(ledger: Ledger) -> None:
    for content, item in enumerate(submitted(ledger, 2, "before")):
        ledger.finish([(to_classify(ledger, item, content), judged())])
    campaign = ledger.open_campaign(options(model_digest="another"))
    with (
        beside(ledger, "INSERT INTO item", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.rescan("before", campaign)
    assert taken.result() == 2
    assert stages(ledger) == {Stage.CANCELLED: 2}


def test_a_cancel_between_two_batches_of_a_requeue_ends_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the later batches queue again would wait for ever, its results gone."""
    ledger.policy = Policy(max_attempts=1)
    dead, waiting = submitted(ledger, 5)[:4], 1
    for item in dead:
        assert ledger.fail(claimed(ledger, item), "a bug") is Stage.DEAD
    monkeypatch.setattr("infra.ledger.recall.BATCH", 2)
    with (
        beside(ledger, "DELETE FROM result", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.requeue("one", {Outcome.DEAD})
    assert taken.result() == waiting + recall.BATCH
    assert stages(ledger) == {Stage.CANCELLED: 3, Stage.DEAD: 2}
    assert sum(row_of(ledger, item).outcome is Outcome.DEAD for item in dead) == 2


@pytest.mark.parametrize("deed", ["pause", "resume"])
def test_a_campaign_that_is_cancelled_meanwhile_stays_so(ledger: Ledger, deed: str) -> None:
    submitted(ledger, 1)
    if deed == "resume":
        ledger.pause("one", "the network is gone")
    with beside(ledger, "UPDATE campaign", cancel) as taken:
        if deed == "pause":
            ledger.pause("one", "the network is gone")
        else:
            with pytest.raises(Unusable, match="was cancelled"):
                ledger.resume("one")
    assert taken.result() == 1
    assert ledger.campaign("one").state == "cancelled"
    assert ledger.campaign("one").reason == "cancelled by a person"


# Deleting and erasing beside what is handed in

PICTURE = stored("evidence", 7)


def finished(ledger: Ledger, item: int) -> None:
    """Judged, with a picture that its only segment shows."""
    one = judged()
    (person,) = one.verdict.persons
    (segment,) = person.segments
    shown = replace(person, segments=(replace(segment, evidence=PICTURE.key),))
    verdict = replace(one.verdict, persons=(shown,), reason="person 0: 90 % likely altered")
    claim = to_classify(ledger, item, 7)
    assert ledger.finish([(claim, replace(one, verdict=verdict, evidence=(PICTURE,)))]) == {item}


def past_its_term(ledger: Ledger) -> tuple[int, Claim]:
    """An item whose picture is doomed, and a claim on another one of the same content."""
    (first,) = submitted(ledger, 1, keep_evidence_s=0.0)
    (second,) = submitted(ledger, 1, "two")
    finished(ledger, first)
    assert ledger.expire() == 1
    return first, claimed(ledger, second)


def assert_marked(ledger: Ledger, *of: tuple[int, str]) -> None:
    for item, name in of:
        row = row_of(ledger, item, name)
        ((segment,),) = [person["segments"] for person in row.persons]
        assert (segment["evidence"], row.evidence) == (None, []), "nobody names what is deleted"
        assert row.outcome is Outcome.FAKE


def test_who_inherits_while_a_picture_goes_is_marked(ledger: Ledger) -> None:
    first, claim = past_its_term(ledger)
    with beside(ledger, "INSERT INTO result", delete_doomed) as gone:
        assert ledger.inherit(claim, fetched(7), first) is Stage.DONE
    gone.result()
    assert_marked(ledger, (first, "one"), (claim.item, "two"))
    assert row_of(ledger, claim.item, "two").evidence_removed_at


def test_who_inherits_after_a_picture_went_does_not_name_it(ledger: Ledger) -> None:
    first, claim = past_its_term(ledger)

    def inherit(other: Ledger) -> Stage | None:
        return other.inherit(claim, fetched(7), first)

    with beside(ledger, "UPDATE result", inherit) as inherited:
        delete_doomed(ledger)
    assert inherited.result() is Stage.DONE
    assert_marked(ledger, (first, "one"), (claim.item, "two"))


def test_who_inherits_while_an_item_is_erased_is_marked(ledger: Ledger) -> None:
    first, second = submitted(ledger, 2)
    finished(ledger, first)
    claim = claimed(ledger, second)

    def inherit(other: Ledger) -> Stage | None:
        return other.inherit(claim, fetched(7), first)

    with beside(ledger, "FROM extraction.* FOR NO KEY UPDATE", inherit) as inherited:
        erased = ledger.erase(first)
    assert inherited.result() is Stage.DONE
    assert erased.heirs == (second,)
    row = row_of(ledger, second)
    assert (row.persons, row.evidence) == ([], [])
    assert "person 0" not in row.reason
    assert row.erased_at


def test_clips_that_are_being_named_are_not_taken_for_unknown(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, made = claimed(ledger, item), clips(7)
    keys = [made.manifest.key, *(clip.key for clip in made.clips)]
    with beside(ledger, "INSERT INTO object", lambda other: other.doom_unknown(keys)) as unknown:
        assert ledger.extracted(claim, extracted(7)) is Stage.EXTRACTED
    assert unknown.result() == []
    assert ledger.doomed(10) == []


def test_pictures_that_are_being_named_are_not_taken_for_unknown(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, keys = to_classify(ledger, item, 7), [PICTURE.key]
    with beside(ledger, "INSERT INTO object", lambda other: other.doom_unknown(keys)) as unknown:
        assert ledger.finish([(claim, replace(judged(), evidence=(PICTURE,)))]) == {item}
    assert unknown.result() == []
    assert ledger.doomed(10) == []


def test_what_was_found_unknown_is_named_before_anybody_takes_it(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, keys = claimed(ledger, item), [clips(7).manifest.key]

    def name(other: Ledger) -> Stage | None:
        return other.extracted(claim, extracted(7))

    with beside(ledger, "INSERT INTO doomed", name) as named:
        assert ledger.doom_unknown(keys) == keys
    assert named.result() is Stage.EXTRACTED
    assert ledger.doomed(10) == []
    assert ledger.take_these(keys).keys == ()


def test_what_is_being_taken_is_stored_again_before_it_is_named(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, keys = claimed(ledger, item), [clips(7).manifest.key]
    ledger.doom_unknown(keys)

    def name(other: Ledger) -> Stage | None:
        return other.extracted(claim, extracted(7))

    with beside(ledger, "UPDATE doomed", name) as named:
        assert ledger.take_doomed(10).keys == tuple(keys)
    with pytest.raises(TryAgain, match="being deleted"):
        named.result()
    assert ledger.doomed(10) == keys


def test_doomed_objects_are_locked_in_one_order(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, keys = claimed(ledger, item), [clips(7).manifest.key, "clip/7/1", "clip/7/0"]
    ledger.doom_unknown(keys)
    locks = list[str]()

    def note(_db: object, _cursor: object, statement: str, *_: object) -> None:
        if re.match(r"SELECT doomed\.key\b.*FOR UPDATE$", statement, re.DOTALL):
            locks.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", note)
    taken = ledger.take_these(keys)
    ledger.gone(taken.keys[:1], taken.at)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(claim, extracted(7))
    assert len(locks) == 3
    assert all("ORDER BY doomed.key" in lock for lock in locks)


def test_what_is_being_named_again_is_not_taken(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim, keys = claimed(ledger, item), [clips(7).manifest.key]
    ledger.doom_unknown(keys)
    with beside(ledger, "INSERT INTO object", lambda other: other.take_these(keys)) as taken:
        assert ledger.extracted(claim, extracted(7)) is Stage.EXTRACTED
    assert taken.result().keys == ()


def test_clips_are_kept_for_who_takes_them_just_as_the_last_term_ends(ledger: Ledger) -> None:
    """It had a term of its own, from before it was queued again: that is over too."""
    ledger.policy = Policy(max_attempts=1)
    again, other = submitted(ledger, 2, keep_clips_s=0.0)
    bad = to_classify(ledger, again, 7)
    assert ledger.recut(bad, "no picture", at_last=Outcome.UNDECODABLE) is Stage.REJECTED
    delete_doomed(ledger)
    ledger.finish([(to_classify(ledger, other, 7), judged())])
    assert ledger.requeue("one", {Outcome.UNDECODABLE}) == 1
    claim = claimed(ledger, again)
    with beside(ledger, "INSERT INTO reference", lambda janitor: janitor.expire()) as expired:
        assert ledger.reuse(claim, fetched(7), clips(7), cpu_seconds=0) is Stage.EXTRACTED
    expired.result()
    assert ledger.doomed(10) == []
    assert claimed(ledger, again, Stage.EXTRACTED).extraction == clips(7)


def test_clips_are_kept_for_what_is_queued_again_just_as_their_term_ends(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=0.0)
    ledger.finish([(to_classify(ledger, item, 7), judged())])
    with beside(ledger, "UPDATE item", lambda janitor: janitor.expire()) as expired:
        assert ledger.requeue("one", {Outcome.FAKE}) == 1
    expired.result()
    assert ledger.doomed(10) == []
    assert claimed(ledger, item, Stage.EXTRACTED).extraction == clips(7)


def rescanned(ledger: Ledger) -> Campaign:
    return ledger.open_campaign(options("again", model_digest="another"))


def test_what_is_being_erased_does_not_come_back_by_a_rescan(ledger: Ledger) -> None:
    first, second = submitted(ledger, 2)
    finished(ledger, first)
    ledger.finish([(to_classify(ledger, second, 8), judged())])
    campaign = rescanned(ledger)
    with beside(ledger, "UPDATE item", lambda other: other.rescan("one", campaign)) as taken:
        ledger.erase(first)
    assert taken.result() == Submitted(new=1, known=0)
    assert stages(ledger, "again") == {Stage.EXTRACTED: 1}


def test_nor_does_what_inherited_from_it(ledger: Ledger) -> None:
    (first,) = submitted(ledger, 1)
    (second,) = submitted(ledger, 1, "two")
    finished(ledger, first)
    assert ledger.inherit(claimed(ledger, second), fetched(7), first) is Stage.DONE
    campaign = rescanned(ledger)
    with beside(ledger, "UPDATE result", lambda other: other.rescan("two", campaign)) as taken:
        ledger.erase(first)
    assert taken.result() == Submitted(new=0, known=0)
    assert stages(ledger, "again") == {}


def test_verdicts_are_handed_in_beside_who_locks_what_their_contents_yielded(
    ledger: Ledger,
) -> None:
    """In another order: the items' is not that of their contents, since each was known before."""
    for content, item in enumerate(submitted(ledger, 2, "before")):
        ledger.finish([(to_classify(ledger, item, content), judged())])
    items = submitted(ledger, 2)
    scored = {digest(0): ()}
    done = [
        (
            to_classify(ledger, item, content),
            replace(judged(), evidence=(stored("evidence", item),), scores=scored),
        )
        for item, content in zip(items, (1, 0), strict=True)
    ]

    def again(other: Ledger) -> int:
        return other.requeue("before", {Outcome.FAKE})

    with beside(ledger, "INSERT INTO score", again) as queued:
        assert ledger.finish(done) == set(items)
    assert queued.result() == 2


# Claims


def test_clips_that_are_doomed_while_they_are_claimed_are_gone(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the claim breaks, and with it the worker."""
    monkeypatch.setattr("infra.ledger.moves.slot_of", _slot)
    first, second = submitted(ledger, 2)
    bad = to_classify(ledger, first, 7)
    assert ledger.reuse(claimed(ledger, second), fetched(7), clips(7), cpu_seconds=0) is (
        Stage.EXTRACTED
    )

    def recut(other: Ledger) -> Stage | None:
        return other.recut(bad, "a clip is not what it was")

    with beside(ledger, "FROM object", recut) as doomed:
        (claim,) = ledger.claim_many([second], Stage.EXTRACTED, owner="gpu", lease_s=60)
    assert doomed.result() is Stage.WAITING
    assert claim.extraction is None


def _slot(_db: object) -> int:
    """Nobody waits for another's counts."""
    return int(threading.current_thread() is threading.main_thread())
