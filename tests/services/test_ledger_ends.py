import dataclasses

import pytest

from infra.ledger import Ledger
from schemas.records import Classified, FetchedPart, Rejected
from schemas.stages import Stage
from tests.services.items import (
    MODEL_DIGEST,
    VIDEO,
    claimed,
    clips,
    digest,
    extracted,
    fetched,
    judged,
    moves,
    new,
    no_face,
    options,
    refused,
    row_of,
    stages,
    submitted,
    to_classify,
)
from unmask.errors import TryAgain
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import Verdict

SPEC = ScanSpec().digest


def test_the_whole_way_of_an_item_is_one_row(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    uri = "https://me:pw@cdn.example/a.mp4?w=1&sig=SECRET"
    ledger.submit(campaign, [new(0, uri=uri, extra={"id": 7})])
    (waiting,) = ledger.results("one")
    claim = to_classify(ledger, waiting.item, content=1)
    assert claim.uri == uri
    assert ledger.finish([(claim, judged())]) == {waiting.item}
    (row,) = ledger.results("one")
    assert row.uri == "https://cdn.example/a.mp4?w=1&sig=***"
    assert (row.source, row.extra) == ("list.csv:0", {"id": 7})
    assert (row.stage, row.outcome, row.reason) == (Stage.DONE, Outcome.FAKE, "a reason")
    assert (row.final_uri, row.sha256) == ("https://cdn.example/final.mp4", digest(1))
    assert (row.media_kind, row.duration_s, row.width, row.height) == ("video", 10.0, 640, 480)
    assert (row.faces_seen, row.frames_analysed, row.coverage) == (30, 20, 0.5)
    assert (row.left_out, row.partial, row.notes) == (0, False, ["one"])
    assert (row.probability, row.band) == (0.9, "high")
    assert (row.threshold_real, row.threshold_fake) == (0.3, 0.7)
    assert row.persons[0]["segments"][0]["evidence"] == "e/1"
    assert row.evidence == ["evidence/1/0"]
    assert (row.model, row.model_digest, row.scan_spec) == ("lite", MODEL_DIGEST, SPEC)
    assert (row.inherited_from, row.attempts, row.bytes_fetched) == (None, 1, 1_000)
    assert (row.cpu_seconds, row.gpu_seconds) == (2.5, 0.25)
    assert row.submitted_at is not None
    assert row.started_at is not None
    assert row.finished_at is not None
    assert row.submitted_at <= row.started_at <= row.finished_at
    assert moves(ledger, row.item) == [
        Stage.WAITING,
        Stage.EXTRACTING,
        Stage.EXTRACTED,
        Stage.CLASSIFYING,
        Stage.DONE,
    ]


def test_finishing_twice_is_finishing_once(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = to_classify(ledger, item, content=1)
    assert ledger.finish([(claim, judged())]) == {item}
    assert ledger.finish([(claim, judged(0.1, Outcome.REAL))]) == set()
    assert row_of(ledger, item).outcome is Outcome.FAKE


def test_without_a_face_there_is_nothing_to_classify(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    assert ledger.extracted(claimed(ledger, item), no_face(1)) is Stage.DONE
    row = row_of(ledger, item)
    assert (row.outcome, row.reason) == (Outcome.NO_FACE, "no face in 10 frames")
    assert (row.probability, row.band, row.persons) == (None, None, [])
    assert row.faces_seen == VIDEO.faces_seen


def test_extract_only_ends_with_the_clips(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, extract_only=True)
    assert ledger.extracted(claimed(ledger, item), extracted(1)) is Stage.DONE
    assert row_of(ledger, item).outcome is Outcome.EXTRACTED


def test_clips_of_an_extract_only_campaign_serve_another(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, "cut", extract_only=True)
    done = extracted(1, outcome=Outcome.EXTRACTED)
    ledger.extracted(claimed(ledger, item), done)
    known = ledger.known(digest(1), SPEC, MODEL_DIGEST)
    assert known.result_item is None
    assert known.extraction == clips(1)
    (other,) = submitted(ledger, 1)
    stage = ledger.reuse(claimed(ledger, other), fetched(1), clips(1), cpu_seconds=0.1)
    assert stage is Stage.EXTRACTED
    claim = claimed(ledger, other, Stage.EXTRACTED)
    assert claim.extraction == clips(1)
    ledger.finish([(claim, judged())])
    row = row_of(ledger, other)
    assert (row.outcome, row.inherited_from) == (Outcome.FAKE, item)
    assert row.duration_s == VIDEO.duration_s


def test_nothing_is_known_of_a_new_content(ledger: Ledger) -> None:
    known = ledger.known(digest(1), SPEC, MODEL_DIGEST)
    assert (known.extraction, known.result_item) == (None, None)


def test_a_verdict_is_known_to_its_model_only(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    ledger.finish([(to_classify(ledger, item, content=1), judged())])
    assert ledger.known(digest(1), SPEC, MODEL_DIGEST).result_item == item
    assert ledger.known(digest(1), SPEC, "another").result_item is None
    assert ledger.known(digest(1), SPEC, "another").extraction == clips(1)
    assert ledger.known(digest(1), "another", MODEL_DIGEST).extraction is None


def test_that_there_is_no_face_is_known_to_every_model(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    ledger.extracted(claimed(ledger, item), no_face(1))
    known = ledger.known(digest(1), SPEC, "another")
    assert (known.result_item, known.outcome) == (item, Outcome.NO_FACE)


def test_a_verdict_is_inherited_and_the_row_says_so(ledger: Ledger) -> None:
    first, second = submitted(ledger, 2)
    ledger.finish([(to_classify(ledger, first, content=1), judged())])
    claim = claimed(ledger, second)
    assert ledger.inherit(claim, fetched(1, "https://b.example/x"), first) is Stage.DONE
    row, parent = row_of(ledger, second), row_of(ledger, first)
    assert (row.inherited_from, row.outcome, row.probability) == (first, Outcome.FAKE, 0.9)
    assert (row.persons, row.evidence) == (parent.persons, parent.evidence)
    assert (row.final_uri, row.gpu_seconds) == ("https://b.example/x", 0.0)
    assert ledger.status("one").outcomes == {Outcome.FAKE: 2}
    assert ledger.known(digest(1), SPEC, MODEL_DIGEST).result_item == first


def test_what_is_gone_is_not_inherited(ledger: Ledger) -> None:
    first, second = submitted(ledger, 2)
    claim = claimed(ledger, second)
    with pytest.raises(TryAgain, match=f"item {first}"):
        ledger.inherit(claim, fetched(1), first)
    with pytest.raises(TryAgain, match="gone"):
        ledger.reuse(claim, fetched(1), clips(1), cpu_seconds=0.0)
    assert ledger.renew([claim], lease_s=60) == {second}


def test_the_first_extraction_of_a_content_stands(ledger: Ledger) -> None:
    """Two workers cut the same content at the same time, not quite alike."""
    first, second = submitted(ledger, 2)
    slow = claimed(ledger, second)
    ledger.extracted(claimed(ledger, first), extracted(1))
    assert ledger.extracted(slow, extracted(1, extraction=clips(1, count=5))) is Stage.EXTRACTED
    assert claimed(ledger, second, Stage.EXTRACTED).extraction == clips(1, count=2)


def test_a_refusal_is_a_row_with_a_reason_and_no_number(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    assert refused(
        ledger,
        claimed(ledger, item),
        Outcome.NOT_MEDIA,
        "it is text\0",
        fetched=fetched(1),
        cpu_seconds=0.1,
    )
    row = row_of(ledger, item)
    assert (row.outcome, row.reason) == (Outcome.NOT_MEDIA, "it is text\N{REPLACEMENT CHARACTER}")
    assert (row.probability, row.faces_seen, row.duration_s) == (None, None, None)
    assert (row.sha256, row.bytes_fetched) == (digest(1), 1_000)


def test_refusals_of_a_handful_are_rows_of_their_own(ledger: Ledger) -> None:
    """Known and unknown content, whole and in part, and one that another worker took."""
    whole, part, unknown, late = submitted(ledger, 4)
    claims = {item: claimed(ledger, item) for item in (whole, part, unknown, late)}
    ledger.release(claims[late], "its worker stops")
    claimed(ledger, late)
    some = FetchedPart(size=9_000, validator='"one"', ranges=((0, 99),))
    content = {whole: fetched(1), part: dataclasses.replace(fetched(2), part=some)}
    done = [
        Rejected(
            claim=claim,
            outcome=Outcome.NOT_MEDIA,
            reason=f"text {item}",
            fetched=content.get(item),
            cpu_seconds=0.25,
        )
        for item, claim in claims.items()
    ]
    assert ledger.reject(done) == {whole, part, unknown}
    rows = {item: row_of(ledger, item) for item in claims}
    assert {item: row.outcome for item, row in rows.items()} == {
        whole: Outcome.NOT_MEDIA, part: Outcome.NOT_MEDIA, unknown: Outcome.NOT_MEDIA, late: None
    }  # fmt: skip
    assert [rows[item].reason for item in (whole, part, unknown)] == [
        f"text {item}" for item in (whole, part, unknown)
    ]
    assert (rows[whole].sha256, rows[part].sha256, rows[unknown].sha256) == (digest(1), None, None)
    assert rows[part].fetched_part is not None
    assert rows[whole].fetched_part is None
    assert rows[whole].finished_at == rows[part].finished_at is not None
    assert ledger.status("one").cpu_seconds == 0.75
    assert stages(ledger) == {Stage.REJECTED: 3, Stage.EXTRACTING: 1}


def test_an_answer_is_no_refusal(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    with pytest.raises(ValueError, match="not a rejection"):
        refused(ledger, claimed(ledger, item), Outcome.REAL, "")


def test_a_verdict_without_calibration_has_no_number(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    verdict = Verdict(
        outcome=Outcome.UNSURE, reason="untrained model", probability=None, persons=()
    )
    done = Classified(verdict=verdict, evidence=(), gpu_seconds=0.0, cpu_seconds=0.0)
    ledger.finish([(to_classify(ledger, item, content=1), done)])
    row = row_of(ledger, item)
    assert (row.outcome, row.probability, row.band) == (Outcome.UNSURE, None, None)
    assert (row.threshold_real, row.threshold_fake) == (None, None)


def test_the_status_adds_up(ledger: Ledger) -> None:
    items = submitted(ledger, 5)
    ledger.finish([(to_classify(ledger, items[0], content=1), judged())])
    ledger.extracted(claimed(ledger, items[1]), no_face(2))
    refused(ledger, claimed(ledger, items[2]), Outcome.BLOCKED, "a private address")
    claimed(ledger, items[3])
    status = ledger.status("one")
    assert status.stages == {
        Stage.DONE: 2,
        Stage.REJECTED: 1,
        Stage.EXTRACTING: 1,
        Stage.WAITING: 1,
    }
    assert status.outcomes == {Outcome.FAKE: 1, Outcome.NO_FACE: 1, Outcome.BLOCKED: 1}
    assert status.footage_s == 20.0
    assert (status.cpu_seconds, status.gpu_seconds) == (4.5, 0.25)
    assert status.bytes_fetched == 2_000
    assert status.finished_last_minute == 3
    assert status.first_submitted is not None
    assert status.first_started is not None
    assert status.last_finished == max(
        row.finished_at for row in ledger.results("one") if row.finished_at
    )
    assert list(status.oldest_waiting_s) == [options().priority]
    (failure,) = status.failures
    assert (failure.item, failure.outcome) == (items[2], Outcome.BLOCKED)
    assert failure.reason == "a private address"


def test_a_campaign_streams_in_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    items = submitted(ledger, 25)
    monkeypatch.setattr("infra.ledger.reading.PAGE", 10)
    assert [row.item for row in ledger.results("one")] == items
    assert [row.item for row in ledger.results("one", after=items[4], limit=12)] == items[5:17]


def test_ended_items_are_tried_again_by_outcome(ledger: Ledger) -> None:
    rejected, judged_item, other = submitted(ledger, 3)
    refused(ledger, claimed(ledger, rejected), Outcome.UNREACHABLE, "gone")
    ledger.finish([(to_classify(ledger, judged_item, content=1), judged())])
    refused(ledger, claimed(ledger, other), Outcome.BLOCKED, "private")
    assert ledger.requeue("one", {Outcome.UNREACHABLE, Outcome.FAKE}) == 2
    assert stages(ledger) == {Stage.WAITING: 1, Stage.EXTRACTED: 1, Stage.REJECTED: 1}
    assert ledger.status("one").outcomes == {Outcome.BLOCKED: 1}
    assert ledger.status("one").footage_s == 0.0
    assert row_of(ledger, judged_item).outcome is None
    again = claimed(ledger, judged_item, Stage.EXTRACTED)
    assert again.extraction == clips(1)
    ledger.finish([(again, judged(0.1, Outcome.REAL))])
    assert row_of(ledger, judged_item).outcome is Outcome.REAL
    assert claimed(ledger, rejected).attempt == 1


def test_words_that_no_database_or_file_takes_are_mended(ledger: Ledger) -> None:
    """They come out of a room that a stranger's bytes may have taken over."""
    (item,) = submitted(ledger, 1)
    found = no_face(1)
    media = dataclasses.replace(found.media, notes=("a\0b\ud800", "c" * 10_000))
    ledger.extracted(claimed(ledger, item), dataclasses.replace(found, media=media, reason="d\0"))
    (row,) = ledger.results("one")
    assert row.notes[0] == "a\ufffdb?"
    assert len(row.notes[1]) < 10_000
    assert row.reason == "d\ufffd"
