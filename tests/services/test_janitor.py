"""Objects on a real store go when nobody needs them, and half-done work is collected."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import pytest

import settings
from infra.ledger import migrate
from infra.ledger.retention import AGAIN_S, QUIET_S, TAKEN_S
from infra.objects import NotDeleted, clip_key, evidence_key, manifest_key
from infra.resources import Resources, build
from producer.erase import erase, sentences
from schemas.records import (
    Extracted,
    Extraction,
    Fetched,
    MediaFacts,
    NewItem,
    StoredObject,
    Taken,
    Trust,
)
from schemas.stages import Stage
from tasks import deletion
from tasks import janitor as janitors
from tasks.deletion import delete_some
from tasks.janitor import Janitor
from tests.services.items import judged, options, since_taken
from unmask.errors import TryAgain
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import PersonVerdict

SHA = "ab" * 32
MODEL = "9a" * 32


@pytest.fixture
def tools(tmp_path: Path, address: str) -> Iterator[Resources]:
    migrate(address)
    built = build(settings.load(database_url=address, store_url=str(tmp_path / "objects")))
    yield built
    built.ledger.close()


def cut(tools: Resources, **pinned: Any) -> int:
    """An item whose clips are stored, and that has ended; with `extract_only=False`, that waits
    for the classifier."""
    campaign = tools.ledger.open_campaign(options(**{"extract_only": True} | pinned))
    tools.ledger.submit(campaign, [NewItem(uri="https://cdn.example/a.mp4", trust=Trust.REMOTE)])
    (offer,) = tools.ledger.offer(window=4, lease_s=60)
    claim = tools.ledger.claim(offer.item, Stage.WAITING, owner="test", lease_s=60)
    assert claim is not None
    spec, clip, page = ScanSpec().digest, "cd" * 32, "ef" * 32
    extraction = Extraction(
        sha256=SHA,
        spec_digest=spec,
        manifest=tools.store.put(manifest_key(SHA, spec, manifest_sha256=page), b"manifest"),
        clips=(tools.store.put(clip_key(SHA, spec, person=0, clip_sha256=clip), b"clip"),),
    )
    fetched = Fetched(final_uri=claim.uri, sha256=SHA, bytes_fetched=1)
    media = MediaFacts(kind="video")
    done = Extracted(fetched=fetched, media=media, extraction=extraction, cpu_seconds=0.0)
    assert tools.ledger.extracted(claim, done) in {Stage.DONE, Stage.EXTRACTED}
    return offer.item


def judged_for_two(tools: Resources) -> tuple[int, list[str]]:
    """An item that shows two people, and the picture of each."""
    item, done = cut(tools, extract_only=False), judged()
    (one,) = done.verdict.persons
    (segment,) = one.segments
    pictures, people = list[StoredObject](), list[PersonVerdict]()
    for number in (1, 2):
        data = b"person %d" % number
        digest = hashlib.sha256(data).hexdigest()
        spec = ScanSpec().digest
        key = evidence_key(SHA, spec, MODEL, person=number, window=0, picture_sha256=digest)
        pictures.append(tools.store.put(key, data))
        people.append(
            replace(one, person=number, segments=(replace(segment, evidence=key, heat=None),))
        )
    claim = tools.ledger.claim(item, Stage.EXTRACTED, owner="test", lease_s=60)
    assert claim is not None
    verdict = replace(done.verdict, persons=tuple(people))
    told = replace(done, verdict=verdict, evidence=tuple(pictures))
    assert tools.ledger.finish([(claim, told)]) == {item}
    return item, [picture.key for picture in pictures]


def stored(tools: Resources) -> list[str]:
    return [one.key for one in tools.store.list()]


def test_what_is_past_its_term_is_deleted_from_the_store(tools: Resources) -> None:
    cut(tools, keep_clips_s=0.0)
    assert len(stored(tools)) == 2
    cleaned = Janitor(tools).clean()
    assert (cleaned.ended, cleaned.deleted) == (1, 2)
    assert stored(tools) == []
    assert next(tools.ledger.results("one")).clips_removed_at is not None


def test_a_store_that_is_away_is_asked_again(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(tools, keep_clips_s=0.0)

    def away(*_: object) -> None:
        raise TryAgain("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(tools.store), "delete", away)
        with pytest.raises(TryAgain):
            Janitor(tools).clean()
    assert len(stored(tools)) == 2
    assert next(tools.ledger.results("one")).clips_removed_at is None
    since_taken(tools.ledger, AGAIN_S)
    assert Janitor(tools).clean().deleted == 2


def test_an_object_that_can_not_be_deleted_holds_up_no_other(
    tools: Resources, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder: somebody's own files lie in its place."""
    monkeypatch.setattr(deletion, "BATCH", 2)
    stays, *others = [left_behind(tools, person) for person in range(5)]
    place = Path(tools.settings.store_url, stays)
    place.unlink()
    place.joinpath("of-somebody").mkdir(parents=True)
    tools.ledger.doom_unknown([stays, *others])
    janitor = Janitor(tools)
    assert janitor.clean().deleted == len(others)
    assert f"not deleted: object storage did not delete {stays}" in caplog.text
    assert tools.ledger.doomed(9) == [stays]
    since_taken(tools.ledger, AGAIN_S)
    assert janitor.clean().deleted == 0, "and the round comes to its end"
    place.joinpath("of-somebody").rmdir()
    place.rmdir()
    since_taken(tools.ledger, 2 * AGAIN_S)
    assert janitor.clean().deleted == 1


def test_an_erasure_says_which_object_it_could_not_delete(tools: Resources) -> None:
    item = cut(tools)
    stays = stored(tools)[0]
    place = Path(tools.settings.store_url, stays)
    place.unlink()
    place.joinpath("of-somebody").mkdir(parents=True)
    with pytest.raises(NotDeleted, match=stays):
        erase(tools.ledger, tools.store, item, None)
    assert stored(tools) == []
    assert tools.ledger.doomed(9) == [stays]


def test_who_was_frozen_before_it_deletes_takes_nothing_of_a_later_item(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile another one deleted the objects, and the same content was cut again."""
    cut(tools, keep_clips_s=0.0)
    tools.ledger.expire()
    take, clock = tools.ledger.take_doomed, chain([0.0], repeat(TAKEN_S))

    def frozen(limit: int) -> Taken:
        taken = take(limit)
        with monkeypatch.context() as patch:
            patch.setattr(tools.ledger, "take_doomed", take)
            since_taken(tools.ledger, AGAIN_S)
            assert Janitor(tools).clean().deleted == 2
        since_taken(tools.ledger, QUIET_S)
        cut(tools, name="two")
        return taken

    monkeypatch.setattr(tools.ledger, "take_doomed", frozen)
    deleted = delete_some(tools.ledger, tools.store, lambda: next(clock))
    assert (deleted.went, deleted.late) == (0, True)
    assert "left to the next round" in str(deleted.trouble)
    assert len(stored(tools)) == 2
    known = tools.ledger.known(SHA, ScanSpec().digest, MODEL).extraction
    assert known is not None
    assert tools.store.exists(known.manifest.key)


def test_what_a_slow_store_deleted_in_time_is_marked(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round goes on with smaller batches, and comes to its end."""
    keys = [left_behind(tools, person) for person in range(9)]
    tools.ledger.doom_unknown(keys)
    ticking = count(0.0, TAKEN_S / 3)
    monkeypatch.setattr(deletion, "BATCH", 5)
    first = delete_some(tools.ledger, tools.store, lambda: next(ticking))
    assert (first.went, first.late) == (2, True)
    left = tools.ledger.doomed(10)
    assert left == stored(tools)
    assert len(left) == 7
    sizes, take = list[int](), tools.ledger.take_doomed

    def taken(limit: int) -> Taken:
        sizes.append(limit)
        return take(limit)

    monkeypatch.setattr(tools.ledger, "take_doomed", taken)
    slow = partial(delete_some, clock=lambda: next(ticking))
    monkeypatch.setattr(janitors, "delete_some", slow)
    assert Janitor(tools).delete() == 2
    assert sizes == [5, 2]
    assert tools.ledger.doomed(10) == stored(tools)
    assert len(stored(tools)) == 5


def test_who_was_frozen_after_it_deleted_marks_nothing_of_a_later_item(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same objects were stored and doomed once more: they are still there."""
    cut(tools, keep_clips_s=0.0)
    tools.ledger.expire()
    delete = type(tools.store).delete

    def frozen(self: Any, keys: Any, *given: Any) -> None:
        delete(self, keys, *given)
        with monkeypatch.context() as patch:
            patch.setattr(type(tools.store), "delete", delete)
            since_taken(tools.ledger, AGAIN_S)
            assert Janitor(tools).clean().deleted == 2
        since_taken(tools.ledger, QUIET_S)
        cut(tools, name="two", keep_clips_s=0.0)
        tools.ledger.expire()

    monkeypatch.setattr(type(tools.store), "delete", frozen)
    delete_some(tools.ledger, tools.store)
    assert next(tools.ledger.results("two")).clips_removed_at is None
    monkeypatch.undo()
    assert Janitor(tools).clean().deleted == 2
    assert stored(tools) == []


def left_behind(tools: Resources, person: int = 0) -> str:
    """By a worker that died before it told the ledger."""
    key = clip_key("12" * 32, ScanSpec().digest, person=person, clip_sha256="34" * 32)
    tools.store.put(key, b"of a worker that died")
    return key


def grow_old(tools: Resources) -> None:
    for file in Path(tools.settings.store_url).rglob("*"):
        os.utime(file, (0, time.time() - 2 * janitors.GRACE_S))


def due(tools: Resources) -> Janitor:
    """Whose first round compares; a second one deletes what that found."""
    times = chain([0.0], repeat(janitors.FIRST_COLLECT_S))
    return Janitor(tools, clock=lambda: next(times))


def test_half_done_work_is_collected_once_it_is_old(tools: Resources) -> None:
    cut(tools)
    lost = left_behind(tools)
    young = due(tools)
    young.clean()
    assert young.clean().deleted == 0, "it may be the work of this minute"
    grow_old(tools)
    old = due(tools)
    old.clean()
    assert old.clean().deleted == 1
    assert lost not in stored(tools)
    assert len(stored(tools)) == 2


def test_terms_go_on_ending_while_a_large_store_is_compared(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reading of the clock is a slice later, so that a round compares one batch."""
    monkeypatch.setattr(janitors, "BATCH", 1)
    ticking = count(0.0, janitors.SLICE_S)
    janitor = Janitor(tools, clock=lambda: next(ticking))
    lost = [left_behind(tools, person) for person in range(3)]
    grow_old(tools)
    rounds = iter(janitor.clean, None)
    next(one for one in rounds if len(stored(tools)) < len(lost))
    cut(tools, keep_clips_s=0.0)
    assert next(rounds).ended == 1
    assert 0 < len(stored(tools)) < len(lost)
    next(one for one in rounds if not stored(tools))


def test_a_comparison_that_failed_begins_anew_in_the_next_round(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(tools)
    lost = left_behind(tools)
    grow_old(tools)
    janitor = due(tools)

    def away(*_: object) -> None:
        raise TryAgain("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(tools.store), "list", away)
        with pytest.raises(TryAgain):
            janitor.clean()
    janitor.clean()
    janitor.clean()
    assert lost not in stored(tools)


def test_erasing_takes_what_no_row_names_too_and_says_what_went(tools: Resources) -> None:
    item = cut(tools)
    stray = clip_key(SHA, "0" * 16, person=3, clip_sha256="56" * 32)
    tools.store.put(stray, b"of a worker that died")
    erased = erase(tools.ledger, tools.store, item, None)
    assert stored(tools) == []
    said = "\n".join(sentences(erased))
    assert f"item {item} is erased" in said
    assert "  3 clip files deleted" in said
    assert "  its address and result deleted" in said
    assert tools.ledger.status("one").outcomes.get(Outcome.EXTRACTED) is None


def test_erasing_one_person_takes_what_no_row_names_and_leaves_the_other(tools: Resources) -> None:
    item, (stays, goes) = judged_for_two(tools)
    tools.store.put(clip_key(SHA, "0" * 16, person=3, clip_sha256="56" * 32), b"of a dead worker")
    (_, number) = [who["person"] for who in next(tools.ledger.results("one")).persons]
    erased = erase(tools.ledger, tools.store, item, number)
    assert stored(tools) == [stays]
    assert goes in erased.objects
    assert "3 clip files and 1 evidence picture deleted" in "\n".join(sentences(erased))


def test_erasing_twice_claims_nothing_twice(tools: Resources) -> None:
    item = cut(tools)
    erase(tools.ledger, tools.store, item, None)
    first, *more = sentences(erase(tools.ledger, tools.store, item, None))
    assert first == f"item {item} was erased before; nothing more of it was found"
    assert not [line for line in more if "deleted" in line or "blanked" in line]
