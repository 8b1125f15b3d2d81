import dataclasses

import pytest

from infra.ledger import Ledger, Policy
from infra.ledger.engine import make_engine, parse
from schemas.records import Happening
from schemas.stages import Stage
from tests.services.items import (
    LEASE_S,
    MODEL_DIGEST,
    claimed,
    clips,
    delete_doomed,
    digest,
    extracted,
    moves,
    pass_time,
    row_of,
    stages,
    submitted,
    to_classify,
)
from unmask.errors import TryAgain
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

LONG_S = 10_000.0


def test_the_third_failure_is_the_last(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for attempt in (1, 2, 3):
        claim = claimed(ledger, item)
        assert claim.attempt == attempt
        stage = ledger.fail(claim, f"failure {attempt}", log=f"trace {attempt}")
        assert stage is (Stage.DEAD if attempt == 3 else Stage.WAITING)
        assert ledger.claim(item, Stage.WAITING, owner="w", lease_s=LEASE_S) is None
        pass_time(ledger, LONG_S)
    row = row_of(ledger, item)
    assert (row.stage, row.outcome, row.reason) == (Stage.DEAD, Outcome.DEAD, "failure 3")
    assert row.attempts == 3
    (failure,) = ledger.status("one").failures
    assert (failure.reason, failure.log) == ("failure 3", "trace 3")


def test_the_cap_is_the_policys(ledger: Ledger) -> None:
    strict = Ledger(ledger.engine, policy=Policy(max_attempts=1))
    (item,) = submitted(strict, 1)
    assert strict.fail(claimed(strict, item), "a bug") is Stage.DEAD


def test_a_silent_worker_is_charged_and_its_item_goes_on(ledger: Ledger) -> None:
    cut, judged_item, quiet = submitted(ledger, 3)
    claimed(ledger, cut, owner="host:7")
    to_classify(ledger, judged_item, content=1)
    pass_time(ledger, LEASE_S + 1)
    claimed(ledger, quiet)
    swept = ledger.sweep()
    assert (swept.returned, swept.buried) == (2, 0)
    assert stages(ledger) == {Stage.WAITING: 1, Stage.EXTRACTED: 1, Stage.EXTRACTING: 1}
    assert ledger.history(cut)[-1].note == "attempt 1: host:7 fell silent while extracting"
    assert ledger.sweep() == dataclasses.replace(swept, returned=0)


def test_poison_is_buried_with_its_last_words(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for _ in range(3):
        claimed(ledger, item, owner="host:7")
        pass_time(ledger, LEASE_S + 1)
        swept = ledger.sweep()
        pass_time(ledger, LONG_S)
    assert (swept.returned, swept.buried) == (0, 1)
    row = row_of(ledger, item)
    assert (row.stage, row.outcome) == (Stage.DEAD, Outcome.DEAD)
    assert row.reason == "host:7 fell silent while extracting"
    (failure,) = ledger.status("one").failures
    told = failure.log.splitlines()
    assert told.count("host:7 fell silent while extracting") == 3
    assert "dmesg" in told[-2], "what may have happened"
    assert len(told) == 5, "and it is said once"


def test_a_bug_before_the_silence_stays_in_the_log(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    ledger.fail(claimed(ledger, item), "a bug", log="the trace of a bug")
    for _ in range(2):
        pass_time(ledger, LONG_S)
        claimed(ledger, item, owner="host:7")
        pass_time(ledger, LEASE_S + 1)
        ledger.sweep()
    (failure,) = ledger.status("one").failures
    assert failure.log.startswith("the trace of a bug\nhost:7 fell silent while extracting\n")


def test_a_new_stage_begins_with_all_attempts(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for _ in range(2):
        ledger.fail(claimed(ledger, item), "a bug")
        pass_time(ledger, LONG_S)
    claim = to_classify(ledger, item, content=1)
    assert claim.attempt == 1
    assert ledger.fail(claim, "another") is Stage.EXTRACTED


def test_more_silence_than_one_batch_holds(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.ledger.trouble.BATCH", 10)
    items = submitted(ledger, 25)
    ledger.claim_many(items, Stage.WAITING, owner="w", lease_s=LEASE_S)
    pass_time(ledger, LEASE_S + 1)
    assert ledger.sweep().returned == 25


def test_a_fetch_is_tried_again_by_its_own_schedule(ledger: Ledger) -> None:
    policy = Policy(fetch_schedule_s=(10.0, 100.0), jitter=0.0)
    patient = Ledger(ledger.engine, policy=policy)
    (item,) = submitted(patient, 1)
    for wait in policy.fetch_schedule_s:
        claim = claimed(patient, item)
        assert claim.attempt == 1
        assert patient.retry_fetch(claim, "HTTP 503") is Stage.WAITING
        pass_time(patient, wait - 5)
        assert patient.offer(window=1, lease_s=60) == []
        pass_time(patient, 6)
    assert patient.retry_fetch(claimed(patient, item), "HTTP 503") is Stage.REJECTED
    row = row_of(patient, item)
    assert (row.outcome, row.attempts) == (Outcome.UNREACHABLE, 3)
    assert row.reason == "HTTP 503 (tried 3 times)"


def test_a_server_may_ask_for_more_patience_but_not_for_ever(ledger: Ledger) -> None:
    patient = Ledger(ledger.engine, policy=Policy(longest_wait_s=1_000.0))
    one, two = submitted(patient, 2)
    patient.retry_fetch(claimed(patient, one), "HTTP 429", after_s=500)
    patient.retry_fetch(claimed(patient, two), "HTTP 429", after_s=10**9)
    pass_time(patient, 490)
    assert patient.offer(window=9, lease_s=1) == []
    pass_time(patient, 20)
    assert [offer.item for offer in patient.offer(window=9, lease_s=1)] == [one]
    pass_time(patient, 1_000)
    assert {offer.item for offer in patient.offer(window=9, lease_s=1)} == {one, two}


def test_damaged_clips_are_cut_anew(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = to_classify(ledger, item, content=1)
    assert ledger.recut(claim, "a clip is not what it was") is Stage.WAITING
    assert ledger.known(digest(1), ScanSpec().digest, MODEL_DIGEST).extraction is None
    pass_time(ledger, LONG_S)
    better = clips(1, count=3)
    with pytest.raises(TryAgain, match="being deleted"):
        ledger.extracted(claimed(ledger, item), extracted(1, extraction=better))
    delete_doomed(ledger)
    pass_time(ledger, LONG_S)
    ledger.sweep()
    pass_time(ledger, LONG_S)
    ledger.extracted(claimed(ledger, item), extracted(1, extraction=better))
    again = claimed(ledger, item, Stage.EXTRACTED)
    assert again.extraction == better


def test_clips_that_are_always_damaged_end(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    reached = []
    for _ in range(3):
        reached.append(ledger.recut(to_classify(ledger, item, content=1), "damaged again"))
        delete_doomed(ledger)
        pass_time(ledger, LONG_S)
    assert reached == [Stage.WAITING, Stage.WAITING, Stage.DEAD]
    assert row_of(ledger, item).reason == "damaged again"


def test_clips_that_never_hold_a_picture_end_as_the_files_fault(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for _ in range(3):
        claim = to_classify(ledger, item, content=1)
        reached = ledger.recut(claim, "no picture", at_last=Outcome.UNDECODABLE)
        delete_doomed(ledger)
        pass_time(ledger, LONG_S)
    assert reached is Stage.REJECTED
    row = row_of(ledger, item)
    assert (row.outcome, row.reason) == (Outcome.UNDECODABLE, "no picture (tried 3 times)")
    assert ledger.status("one").failures


def test_a_worker_that_cant_use_the_model_charges_nobody_and_is_counted(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for times in range(1, 6):
        claim = (
            to_classify(ledger, item, content=1)
            if times == 1
            else claimed(ledger, item, Stage.EXTRACTED)
        )
        assert claim.attempt == 1
        assert ledger.unserved(claim, "it computes wrongly", after_s=5) is Stage.EXTRACTED
        assert ledger.offer(window=1, lease_s=60) == []
        assert ledger.happened("one")[Happening.FAILED].times == times
        pass_time(ledger, LONG_S)
    assert ledger.history(item)[-1].note == "it computes wrongly"


def test_all_is_free_again_where_no_worker_lives(ledger: Ledger) -> None:
    items = submitted(ledger, 4)
    claimed(ledger, items[0])
    to_classify(ledger, items[1], content=1)
    assert len(ledger.offer(window=10, lease_s=1_000)) == 2
    assert ledger.release_all("the scan was stopped") == 2
    assert sorted(offer.item for offer in ledger.offer(window=10, lease_s=60)) == items
    assert claimed(ledger, items[0]).attempt == 1
    assert moves(ledger, items[1])[-2:] == [Stage.CLASSIFYING, Stage.EXTRACTED]


def test_a_database_that_is_away_is_a_reason_to_try_again(ledger: Ledger, address: str) -> None:
    """The same words for a lost server and for a folder that can't be opened."""
    nowhere = address.replace("unmask.db", "nowhere/unmask.db").replace("/unmask_", "/gone_")
    lost = Ledger(make_engine(parse(nowhere)))
    with pytest.raises(TryAgain, match="the database is away"):
        lost.campaigns()
    lost.close()
