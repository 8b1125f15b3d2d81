"""Objects live as long as their longest referrer needs them; no result names one that is gone."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from infra.ledger import Ledger, retention
from infra.ledger.erasure import WHY
from infra.ledger.policy import Policy
from infra.ledger.retention import AFTER_S, AGAIN_S, DOUBLINGS, QUIET_S, TOMBSTONE_S
from schemas.records import FOR_EVER_S, Erased
from schemas.stages import Stage
from tests.services.effort import Effort, analyse
from tests.services.items import (
    claimed,
    clips,
    digest,
    extracted,
    fetched,
    judged,
    moves,
    no_face,
    options,
    pass_time,
    row_of,
    since_taken,
    stages,
    stored,
    submitted,
    to_classify,
)
from unmask.errors import TryAgain, Unusable
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import WindowScore

DAY_S = 86_400.0
MODEL = "m" * 64
BACKLOG = 20_000
SCORE = WindowScore(
    person=0, window=0, start_s=0.0, end_s=1.0, frames=2, raw=0.25, frame_scores=(0.1, 0.4)
)


def done(ledger: Ledger, item: int, content: int) -> None:
    claim = to_classify(ledger, item, content)
    assert ledger.finish([(claim, judged())]) == {item}


def later(ledger: Ledger, seconds: float) -> None:
    """Terms and tombstones are so much older."""
    forever = 253_402_300_799.0
    with ledger.engine.begin() as db:
        for table, column in (
            ("reference", "until"),
            ("reference", "evidence_until"),
            ("doomed", "deleted_at"),
            ("doomed", "taken_at"),
        ):
            sooner = f"UPDATE {table} SET {column} = {column} - :s WHERE {column} BETWEEN 1 AND :f"
            db.execute(text(sooner), {"s": seconds, "f": forever - 1})


def doomed(ledger: Ledger) -> set[str]:
    return set(ledger.doomed(1_000))


def deleted(ledger: Ledger) -> set[str]:
    """As the janitor does it, with a store that deletes at once."""
    ledger.expire()
    keys = doomed(ledger)
    ledger.gone(sorted(keys))
    return keys


def stands(ledger: Ledger, content: int) -> bool:
    return ledger.known(digest(content), ScanSpec().digest, "other").extraction is not None


def test_without_a_policy_nothing_goes(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    done(ledger, item, 1)
    later(ledger, 100 * 365 * DAY_S)
    assert deleted(ledger) == set()
    assert stands(ledger, 1)


def test_clips_and_evidence_have_terms_of_their_own(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S, keep_evidence_s=3 * DAY_S)
    done(ledger, item, 1)
    assert deleted(ledger) == set()
    later(ledger, DAY_S + 1)
    assert deleted(ledger) == {"manifest/1/0", "clip/1/0", "clip/1/1"}
    assert not stands(ledger, 1)
    row = row_of(ledger, item)
    assert row.clips_removed_at is not None
    assert (row.evidence, row.evidence_removed_at) == (["evidence/1/0"], None)
    later(ledger, 2 * DAY_S)
    assert deleted(ledger) == {"evidence/1/0"}
    row = row_of(ledger, item)
    assert row.evidence_removed_at is not None
    assert row.evidence == []
    assert (row.outcome, row.probability) == (Outcome.FAKE, 0.9), "the verdict stays"
    assert row.erased_at is None


def test_the_longest_term_counts(ledger: Ledger) -> None:
    (short,) = submitted(ledger, 1, "short", keep_clips_s=DAY_S, keep_evidence_s=DAY_S)
    (long,) = submitted(ledger, 1, "long", keep_clips_s=9 * DAY_S, keep_evidence_s=9 * DAY_S)
    done(ledger, short, 1)
    assert ledger.inherit(claimed(ledger, long), fetched(1), short) is Stage.DONE
    later(ledger, 2 * DAY_S)
    assert deleted(ledger) == set()
    later(ledger, 8 * DAY_S)
    assert len(deleted(ledger)) == 4
    for item, name in ((short, "short"), (long, "long")):
        row = row_of(ledger, item, name)
        assert row.clips_removed_at
        assert row.evidence == []


def test_pictures_that_two_scan_specs_share_are_marked_under_both(ledger: Ledger) -> None:
    """Earlier versions named pictures without the scan spec: what goes for one is gone for both."""
    (short,) = submitted(ledger, 1, "short", keep_evidence_s=DAY_S)
    spec = ScanSpec(windows=3)
    (ever,) = submitted(ledger, 1, "ever", spec=spec)
    done(ledger, short, 1)
    manifest, *cut = (stored(f"of-{spec.digest}", 1, number) for number in range(2))
    anew = replace(clips(1), spec_digest=spec.digest, manifest=manifest, clips=tuple(cut))
    ledger.extracted(claimed(ledger, ever), extracted(1, extraction=anew))
    ledger.finish([(claimed(ledger, ever, Stage.EXTRACTED), judged())])
    assert row_of(ledger, ever, "ever").evidence == ["evidence/1/0"]
    later(ledger, DAY_S + 1)
    assert deleted(ledger) == {"evidence/1/0"}
    for item, name in ((short, "short"), (ever, "ever")):
        row = row_of(ledger, item, name)
        assert row.evidence == []
        assert row.evidence_removed_at is not None


def test_what_is_under_way_keeps_what_it_needs(ledger: Ledger) -> None:
    (first,) = submitted(ledger, 1, "first", keep_clips_s=DAY_S)
    (second,) = submitted(ledger, 1, "second", model_digest="other", keep_clips_s=DAY_S)
    done(ledger, first, 1)
    known = ledger.known(digest(1), ScanSpec().digest, "other").extraction
    assert known is not None
    assert ledger.reuse(claimed(ledger, second), fetched(1), known, cpu_seconds=0) is (
        Stage.EXTRACTED
    )
    later(ledger, 2 * DAY_S)
    assert deleted(ledger) == set(), "the second still waits for its verdict"
    claim = claimed(ledger, second, Stage.EXTRACTED)
    ledger.finish([(claim, judged())])
    later(ledger, 2 * DAY_S)
    assert len(deleted(ledger)) == 3


def test_what_is_queued_again_keeps_its_clips(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    done(ledger, item, 1)
    assert ledger.requeue("one", {Outcome.FAKE}) == 1
    later(ledger, 9 * DAY_S)
    assert deleted(ledger) == set()
    assert claimed(ledger, item, Stage.EXTRACTED).extraction is not None


def test_what_is_queued_again_and_cut_again_keeps_its_clips(ledger: Ledger) -> None:
    """The term that ran from its first end is no term of what is under way."""
    ledger.policy = Policy(max_attempts=1)
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    assert ledger.recut(to_classify(ledger, item, 1), "a clip is not what it was") is Stage.DEAD
    assert len(deleted(ledger)) == 3
    assert ledger.requeue("one", {Outcome.DEAD}) == 1
    claim = to_classify(ledger, item, 1)
    later(ledger, 2 * DAY_S)
    assert deleted(ledger) == set()
    ledger.finish([(claim, judged())])
    later(ledger, DAY_S + 1)
    assert len(deleted(ledger)) == 3


def test_what_was_cancelled_needs_nothing_any_more(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    ledger.extracted(claimed(ledger, item), extracted(1))
    ledger.cancel("one")
    assert deleted(ledger) == set()
    later(ledger, DAY_S + 1)
    assert len(deleted(ledger)) == 3


def test_who_stored_an_object_before_it_was_deleted_stores_it_again(ledger: Ledger) -> None:
    first, second, third = submitted(ledger, 3, keep_clips_s=DAY_S)
    done(ledger, first, 1)
    too_early = claimed(ledger, second)
    later(ledger, DAY_S + 1)
    ledger.expire()
    taken = ledger.take_doomed(10)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(too_early, extracted(1))
    ledger.gone(taken.keys, taken.at)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(too_early, extracted(1))
    late_enough = claimed(ledger, third)
    assert ledger.extracted(late_enough, extracted(1)) is Stage.EXTRACTED
    assert stands(ledger, 1)
    assert doomed(ledger) == set()


def expired(ledger: Ledger, count: int = 1) -> list[int]:
    """So many items whose clips are doomed, each of a content of its own, and another to come."""
    *items, another = submitted(ledger, count + 1, keep_clips_s=DAY_S)
    for item in items:
        ledger.extracted(claimed(ledger, item), no_face(item))
    later(ledger, DAY_S + 1)
    ledger.expire()
    return [*items, another]


def test_what_two_have_taken_is_not_stored_again_for_a_while(ledger: Ledger) -> None:
    """The one who has not marked it may be frozen before its last step."""
    first, another = expired(ledger)
    silent = ledger.take_doomed(10)
    assert ledger.take_doomed(10).keys == (), "it has just been taken"
    later(ledger, AGAIN_S)
    taken = ledger.take_doomed(10)
    assert taken.keys == silent.keys
    ledger.gone(silent.keys, silent.at)
    assert row_of(ledger, first).clips_removed_at is None, "the other one tells"
    ledger.gone(taken.keys, taken.at)
    assert row_of(ledger, first).clips_removed_at is not None
    claim = claimed(ledger, another)
    with pytest.raises(TryAgain, match="may still be deleting") as refused:
        ledger.extracted(claim, no_face(first))
    assert refused.value.after_s is not None
    assert AGAIN_S < refused.value.after_s <= QUIET_S
    later(ledger, QUIET_S)
    assert ledger.extracted(claim, no_face(first)) is Stage.DONE


def test_what_one_took_and_marked_is_stored_again_at_once(ledger: Ledger) -> None:
    first, another = expired(ledger)
    taken = ledger.take_doomed(10)
    ledger.gone(taken.keys, taken.at)
    assert ledger.extracted(claimed(ledger, another), no_face(first)) is Stage.DONE


def test_what_does_not_go_is_taken_behind_the_others(ledger: Ledger) -> None:
    expired(ledger, 3)
    stays = ledger.take_doomed(1).keys
    later(ledger, AGAIN_S)
    others = ledger.take_doomed(2)
    assert not set(stays) & set(others.keys)
    ledger.gone(others.keys, others.at)
    assert ledger.take_doomed(2).keys == stays


def test_what_does_not_go_is_taken_ever_more_seldom(ledger: Ledger) -> None:
    expired(ledger)
    rests = list[float]()
    for _ in range(DOUBLINGS + 3):
        assert ledger.take_doomed(1).keys
        rests.append(AGAIN_S)
        later(ledger, AGAIN_S / 2)
        assert ledger.take_doomed(1).keys == ()
        later(ledger, AGAIN_S / 2)
        while not due(ledger):
            later(ledger, rests[-1])
            rests[-1] *= 2
    assert rests[:4] == [AGAIN_S, 2 * AGAIN_S, 4 * AGAIN_S, 8 * AGAIN_S]
    assert rests[-2:] == [AGAIN_S * 2**DOUBLINGS] * 2


def due(ledger: Ledger) -> int:
    """How many would be taken now."""
    with ledger.engine.connect() as db:
        return len(retention.take(db, 10).keys)


def test_what_nobody_has_taken_is_named_again_and_stays(ledger: Ledger) -> None:
    """A large campaign came to its term: its content need not wait until all of it has gone."""
    first, another = expired(ledger)
    assert ledger.extracted(claimed(ledger, another), no_face(first)) is Stage.DONE
    assert ledger.take_doomed(10).keys == ()
    assert stands(ledger, first)


def test_what_can_not_be_deleted_does_not_keep_its_content_away(ledger: Ledger) -> None:
    """A lock on the objects, say: each try fetches a stranger's host."""
    first, another = expired(ledger)
    refused = [ledger.take_doomed(10)]
    tries = 0
    while tries < 20 and stages(ledger).get(Stage.DONE) == 1:
        tries, claim = tries + 1, claimed(ledger, another)
        try:
            ledger.extracted(claim, no_face(first))
        except TryAgain as told:
            after_s = told.after_s or 0.0
            ledger.release(claim, str(told), after_s=after_s)
            pass_time(ledger, after_s + 1)
            for _ in range(int(after_s // AFTER_S)):
                later(ledger, AFTER_S)
                refused.append(ledger.take_doomed(10))
            later(ledger, 1)
    assert stages(ledger) == {Stage.DONE: 2}
    assert tries <= 8
    assert len([one for one in refused if one.keys]) > 1, "the sweep tried as well"
    assert doomed(ledger) == set()


def test_what_is_to_be_erased_waits_for_who_erases_it(ledger: Ledger) -> None:
    first, another = submitted(ledger, 2)
    ledger.extracted(claimed(ledger, first), no_face(first))
    ledger.erase(first)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(claimed(ledger, another), no_face(first))
    assert doomed(ledger) == {f"manifest/{first}/0"}


def kept_and_doomed(ledger: Ledger, count: int) -> list[str]:
    """So many objects that stay; and the keys of as many that go, the first to be doomed first."""
    (item,) = submitted(ledger, 1)
    ledger.extracted(claimed(ledger, item), extracted(1))
    keys = [f"clips/{digest(number)}/0-{digest(number)}" for number in range(count)]
    kept = (
        "INSERT INTO object (key, extraction_id, kind, position, sha256, size)"
        " SELECT :key, id, 'clip', 0, '', 1 FROM extraction"
    )
    goes = "INSERT INTO doomed (key, kind, size, why, doomed_at) VALUES (:key, 'clip', 1, '', :at)"
    at = {key: 1.0 + number * 7 % count for number, key in enumerate(keys)}
    with ledger.engine.begin() as db:
        db.execute(text(kept), [{"key": f"{key}-kept"} for key in keys])
        db.execute(text(goes), [{"key": key, "at": at[key]} for key in keys])
    return sorted(keys, key=lambda key: at[key])


def test_a_batch_of_deletions_costs_the_same_before_a_large_backlog(ledger: Ledger) -> None:
    """One that read and sorted all of it would hold up every writer meanwhile."""
    keys = kept_and_doomed(ledger, BACKLOG)
    effort, taken = Effort(ledger), list[str]()

    def batch() -> None:
        taken.extend(ledger.take_doomed(20).keys)

    if ledger.engine.dialect.name == "sqlite":
        assert effort.of(batch) <= effort.limit, "without statistics"
    analyse(ledger)
    assert effort.of(batch) <= effort.limit
    assert sorted(taken) == sorted(keys[: len(taken)])


def test_only_what_is_doomed_and_there_is_taken_by_name(ledger: Ledger) -> None:
    expired(ledger, 2)
    one, other = sorted(doomed(ledger))
    ledger.gone([one])
    assert ledger.take_these([one, other, "clip/9/9"]).keys == (other,)
    assert ledger.take_these([]).keys == ()


def test_a_deletion_that_was_cut_short_goes_on(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    done(ledger, item, 1)
    later(ledger, DAY_S + 1)
    ledger.expire()
    before = doomed(ledger)
    ledger.expire()
    assert doomed(ledger) == before
    assert row_of(ledger, item).clips_removed_at is None, "they are still there"
    ledger.gone(sorted(before))
    assert row_of(ledger, item).clips_removed_at is not None
    later(ledger, TOMBSTONE_S + 1)
    ledger.gone([])
    with ledger.engine.begin() as db:
        assert db.scalar(text("SELECT count(*) FROM doomed")) == 0


def test_a_tombstone_stands_for_as_long_as_anybody_may_hold_an_item(ledger: Ledger) -> None:
    """Who took it before the deletion and hands it in at last must not bring the clips back."""
    hours = Policy(classify_deadline_s=2 * TOMBSTONE_S)
    ledger.policy = hours
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    done(ledger, item, 1)
    later(ledger, DAY_S + 1)
    ledger.expire()
    ledger.gone(sorted(doomed(ledger)))
    for passed, left in ((2 * TOMBSTONE_S, 3), (2 * TOMBSTONE_S + 1, 0)):
        later(ledger, passed)
        ledger.gone([])
        with ledger.engine.begin() as db:
            assert db.scalar(text("SELECT count(*) FROM doomed")) == left


def test_damaged_clips_are_deleted_before_they_are_cut_anew(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    ledger.recut(to_classify(ledger, item, 1), "a clip is not what it was")
    assert doomed(ledger) == {"manifest/1/0", "clip/1/0", "clip/1/1"}
    pass_time(ledger, 10_000)
    claim = claimed(ledger, item)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(claim, extracted(1))
    ledger.take_doomed(10)
    since_taken(ledger, 2 * QUIET_S)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(claim, extracted(1))


def test_late_news_of_damaged_clips_spares_those_that_were_made_since(ledger: Ledger) -> None:
    """Two items of one content were claimed while the clips were damaged."""
    first, second, third = submitted(ledger, 3)
    bad = to_classify(ledger, first, 1)
    assert ledger.reuse(claimed(ledger, second), fetched(1), clips(1), cpu_seconds=0)
    late = claimed(ledger, second, Stage.EXTRACTED)
    assert ledger.reuse(claimed(ledger, third), fetched(1), clips(1), cpu_seconds=0)
    assert ledger.recut(bad, "a clip is not what it was") is Stage.WAITING
    assert len(deleted(ledger)) == 3
    without = claimed(ledger, third, Stage.EXTRACTED)
    assert without.extraction is None
    pass_time(ledger, 10_000)
    assert ledger.extracted(claimed(ledger, first), extracted(1)) is Stage.EXTRACTED
    for claim in (late, without):
        assert ledger.recut(claim, "a clip is not what it was") is Stage.WAITING
        assert doomed(ledger) == set()
        assert stands(ledger, 1)


def test_what_nothing_points_at_is_told_from_what_is_needed(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    done(ledger, item, 1)
    assert ledger.doom_unknown(["clip/1/0", "clip/9/9", "evidence/1/0"]) == ["clip/9/9"]
    assert ledger.doom_unknown(["clip/9/9"]) == [], "it is doomed already"
    assert doomed(ledger) == {"clip/9/9"}
    ledger.gone(["clip/9/9"])
    assert doomed(ledger) == set()


def test_what_a_row_names_is_not_deleted_whatever_else_is_said_of_it(ledger: Ledger) -> None:
    """A worker of an earlier version may name what was found unknown a moment before."""
    first, second = submitted(ledger, 2)
    done(ledger, first, 1)
    unknown = (
        "INSERT INTO doomed (key, kind, size, why, doomed_at) VALUES (:key, 'unknown', 0, '', 1.0)"
    )
    with ledger.engine.begin() as db:
        db.execute(text(unknown), {"key": "evidence/1/0"})
    assert doomed(ledger) == set()
    done(ledger, second, 2)  # the same picture: it need not wait for a deletion
    assert deleted(ledger) == set()
    assert row_of(ledger, first).evidence == ["evidence/1/0"]


def test_terms_are_pinned_where_they_are_said(ledger: Ledger) -> None:
    ledger.open_campaign(options(keep_clips_s=DAY_S))
    assert ledger.open_campaign(options()).options.keep_clips_s == DAY_S
    with pytest.raises(Unusable, match="keep-clips is 1 days, not 2 days"):
        ledger.open_campaign(options(keep_clips_s=2 * DAY_S))
    with pytest.raises(ValueError, match="not a time"):
        options(keep_clips_s=FOR_EVER_S)


def scored(ledger: Ledger, item: int, content: int) -> None:
    claim = to_classify(ledger, item, content)
    verdict = judged()
    kept = {digest(0): (SCORE,), digest(1): (SCORE, SCORE)}
    ledger.finish([(claim, type(verdict)(**vars(verdict) | {"scores": kept}))])


def test_scores_are_kept_once_and_go_with_their_clips(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=DAY_S)
    scored(ledger, item, 1)
    known = ledger.scores(MODEL, [digest(0), digest(1), digest(2)])
    assert known == {digest(0): (SCORE,), digest(1): (SCORE, SCORE)}
    assert ledger.scores("another model", [digest(0)]) == {}
    later(ledger, DAY_S + 1)
    deleted(ledger)
    assert ledger.scores(MODEL, [digest(0), digest(1)]) == {}


# Erasure


def heirs(ledger: Ledger) -> tuple[int, int]:
    """An item with a verdict, and another of the same content that inherited it."""
    first, second = submitted(ledger, 2)
    scored(ledger, first, 1)
    assert ledger.inherit(claimed(ledger, second), fetched(1), first) is Stage.DONE
    return first, second


def everything(ledger: Ledger, item: int) -> str:
    """All that the database says of an item, as text."""
    words = []
    with ledger.engine.begin() as db:
        for table, column in (("item", "id"), ("result", "item_id"), ("move", "item_id")):
            found = db.execute(
                text(f"SELECT * FROM {table} WHERE {column} = :item"), {"item": item}
            )
            words += [str(dict(row._mapping)) for row in found]
    return " ".join(words)


def test_an_erased_item_leaves_no_trace(ledger: Ledger) -> None:
    first, second = heirs(ledger)
    erased = ledger.erase(first)
    assert isinstance(erased, Erased)
    assert erased.objects == ("clip/1/0", "clip/1/1", "evidence/1/0", "manifest/1/0")
    assert (erased.scores, erased.heirs) == (2, (second,))
    assert doomed(ledger) == set(erased.objects)
    said = everything(ledger, first)
    for trace in ("cdn.example", "list.csv", digest(1), "a reason", "fake"):
        assert trace not in said
    assert stages(ledger) == {Stage.DONE: 1, Stage.CANCELLED: 1}
    assert ledger.status("one").outcomes == {Outcome.FAKE: 1}
    assert ledger.status("one").footage_s == 10.0
    assert moves(ledger, first)[-1] is Stage.CANCELLED
    assert ledger.scores(MODEL, [digest(0), digest(1)]) == {}
    assert not stands(ledger, 1)


def test_who_inherited_is_marked(ledger: Ledger) -> None:
    first, second = heirs(ledger)
    ledger.erase(first)
    row = row_of(ledger, second)
    assert (row.outcome, row.probability) == (Outcome.FAKE, 0.9)
    assert (row.persons, row.evidence) == ([], [])
    assert row.erased_at
    assert row.clips_removed_at
    assert row.evidence_removed_at
    assert row.notes[-1] == f"clips and evidence were erased with item {first}"


def test_erasing_overrides_a_term(ledger: Ledger) -> None:
    first, _ = heirs(ledger)
    (other,) = submitted(ledger, 1, "other", model_digest="other", keep_clips_s=9 * DAY_S)
    known = ledger.known(digest(1), ScanSpec().digest, "other").extraction
    assert known is not None
    ledger.reuse(claimed(ledger, other), fetched(1), known, cpu_seconds=0)
    assert len(ledger.erase(first).objects) == 4
    pass_time(ledger, 10_000)
    assert claimed(ledger, other, Stage.EXTRACTED).extraction is None, "it must be cut again"


def test_the_same_list_does_not_bring_it_back(ledger: Ledger) -> None:
    first, _ = heirs(ledger)
    ledger.erase(first)
    submitted(ledger, 2)
    assert stages(ledger) == {Stage.DONE: 1, Stage.CANCELLED: 1}
    assert ledger.requeue("one", set(Outcome)) == 1


def test_an_item_that_was_never_fetched_can_be_erased(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    first = ledger.erase(item)
    assert (first.again, first.objects, first.words) == (False, (), ("address", "source"))
    assert stages(ledger) == {Stage.CANCELLED: 1}
    again = ledger.erase(item)
    assert again == Erased(item=item, again=True), "twice is as good as once, and it is said"
    assert WHY in everything(ledger, item), "the history still tells what happened"
    assert ledger.offer(window=4, lease_s=60) == []


def test_what_is_being_worked_on_is_not_erased_under_its_worker(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claimed(ledger, item, owner="host:7")
    with pytest.raises(Unusable, match="being worked on by host:7"):
        ledger.erase(item)
    with pytest.raises(Unusable, match="no item 99"):
        ledger.erase(99)


def test_one_person_of_an_item_is_erased_by_number(ledger: Ledger) -> None:
    first, second = heirs(ledger)
    (number,) = [who["person"] for who in row_of(ledger, first).persons]
    with pytest.raises(Unusable, match=f"no person 9: its people are {number}"):
        ledger.erase(first, 9)
    erased = ledger.erase(first, number)
    assert set(erased.objects) >= {"clip/1/0", "clip/1/1", "manifest/1/0"}
    for item in (first, second):
        row = row_of(ledger, item)
        assert row.persons == []
        assert row.outcome is Outcome.FAKE
        assert row.erased_at
        assert row.notes[-1] == f"person {number} was erased on request"
    assert stages(ledger) == {Stage.DONE: 2}
    with pytest.raises(Unusable, match=f"no person {number}: that was erased before"):
        ledger.erase(first, number)


def two_people(ledger: Ledger, item: int) -> None:
    """Judged; the verdict's words and a picture are of each of them."""
    one = judged()
    (first,) = one.verdict.persons
    (segment,) = first.segments
    evidence = tuple(stored("evidence", 1, number) for number in (0, 1))
    people = tuple(
        replace(first, person=number, segments=(replace(segment, evidence=picture.key),))
        for number, picture in enumerate(evidence, 1)
    )
    verdict = replace(one.verdict, persons=people, reason="person 2: 90 % likely altered")
    claim = to_classify(ledger, item, 1)
    ledger.finish([(claim, replace(one, verdict=verdict, evidence=evidence))])


def test_of_two_people_the_other_stays(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    two_people(ledger, item)
    stays, goes = [who["person"] for who in row_of(ledger, item).persons]
    assert "person 2" in everything(ledger, item)
    erased = ledger.erase(item, goes)
    row = row_of(ledger, item)
    assert [who["person"] for who in row.persons] == [stays]
    assert row.evidence == ["evidence/1/0"]
    assert row.persons[0]["segments"][0]["evidence"] == "evidence/1/0"
    assert set(erased.objects) == {"clip/1/0", "clip/1/1", "manifest/1/0", "evidence/1/1"}
    assert erased.notes == 1
    assert "likely altered" not in everything(ledger, item)
    assert row.reason == f"person {goes} was erased on request"
