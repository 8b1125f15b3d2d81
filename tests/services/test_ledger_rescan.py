"""A campaign under another model: stored clips serve where they fit, and the rest says so."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from infra.ledger import Ledger
from producer.rescan import changes_text, sentences
from schemas.records import Campaign, CampaignOptions
from schemas.stages import Stage
from tests.services.items import (
    claimed,
    digest,
    extracted,
    fetched,
    judged,
    moves,
    no_face,
    options,
    refused,
    row_of,
    stages,
    submitted,
    to_classify,
)
from unmask.errors import Unusable
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

OTHER_MODEL = "n" * 64


def again(**changes: object) -> CampaignOptions:
    return options("again", model="other", model_digest=OTHER_MODEL, **changes)


def scanned(ledger: Ledger) -> dict[str, int]:
    """One item of each kind, in a campaign `one`."""
    kinds = ("judged", "twin", "faceless", "expired", "erased", "refused", "open")
    items = dict(zip(kinds, submitted(ledger, len(kinds)), strict=True))
    for content, kind in ((1, "judged"), (4, "expired"), (5, "erased")):
        ledger.finish([(to_classify(ledger, items[kind], content), judged())])
    ledger.inherit(claimed(ledger, items["twin"]), fetched(1), items["judged"])
    ledger.extracted(claimed(ledger, items["faceless"]), no_face(3))
    refused(ledger, claimed(ledger, items["refused"]), Outcome.NOT_MEDIA, "a text")
    with ledger.engine.begin() as db:
        expired = "UPDATE extraction SET stands = :no WHERE sha256 = :sha"
        db.execute(text(expired), {"no": False, "sha": digest(4)})
    ledger.erase(items["erased"], 0 if _counts_from_0(ledger, items["erased"]) else 1)
    return items


def _counts_from_0(ledger: Ledger, item: int) -> bool:
    return any(who["person"] == 0 for who in row_of(ledger, item).persons)


def begun(ledger: Ledger, *, fetch: bool = True) -> Campaign:
    campaign = ledger.open_campaign(again())
    ledger.rescan("one", campaign, fetch=fetch)
    return campaign


def by_uri(ledger: Ledger, name: str = "again") -> dict[str, int]:
    return {row.uri: row.item for row in ledger.results(name)}


def test_the_plan_says_what_is_done_and_what_it_cost_before(ledger: Ledger) -> None:
    scanned(ledger)
    plan = ledger.rescan_plan("one", again())
    assert (plan.clips.items, plan.answered.items, plan.fetch.items) == (2, 1, 1)
    assert (plan.erased, plan.left_out) == (1, 2)
    assert plan.clips.gpu_seconds == 0.25
    assert plan.clip_bytes == 30, "two clips and a manifest of ten bytes, counted once"
    assert plan.fetched_again == ("https://cdn.example/3.mp4",)
    said = "\n".join(sentences(plan, fetch=True))
    assert "3 items from stored clips, without touching the originals" in said
    assert "1 item to be fetched again" in said
    assert "https://cdn.example/3.mp4" in said
    assert "1 item left out: something was erased" in said
    assert "2 items left out: there was no answer" in said
    assert "left out, since" in "\n".join(sentences(plan, fetch=False))
    one_of_each = replace(plan, left_out=1)
    assert "they" not in "\n".join(sentences(one_of_each, fetch=False))


def test_nothing_fits_another_scan_spec(ledger: Ledger) -> None:
    scanned(ledger)
    plan = ledger.rescan_plan("one", again(spec=ScanSpec(frames=40)))
    assert (plan.clips.items, plan.answered.items, plan.fetch.items) == (0, 0, 4)
    campaign = ledger.open_campaign(again(spec=ScanSpec(frames=40)))
    assert ledger.rescan("one", campaign).new == 4
    assert stages(ledger, "again") == {Stage.WAITING: 4}


def test_items_begin_extracted_where_their_clips_fit(ledger: Ledger) -> None:
    scanned(ledger)
    begun(ledger)
    found = {Stage.EXTRACTED: 2, Stage.DONE: 1, Stage.WAITING: 1}
    assert stages(ledger, "again") == found
    assert ledger.status("again").outcomes == {Outcome.NO_FACE: 1}
    item = by_uri(ledger)["https://cdn.example/0.mp4"]
    assert moves(ledger, item) == [Stage.EXTRACTED]
    claim = claimed(ledger, item, Stage.EXTRACTED)
    assert claim.extraction is not None
    assert claim.campaign.options.model_digest == OTHER_MODEL
    assert ledger.finish([(claim, judged(0.1, Outcome.REAL))]) == {item}
    row = row_of(ledger, item, "again")
    assert (row.outcome, row.model, row.bytes_fetched) == (Outcome.REAL, "other", 0)
    assert row.sha256 == digest(1)


def test_what_is_not_to_be_fetched_is_left_out(ledger: Ledger) -> None:
    scanned(ledger)
    begun(ledger, fetch=False)
    assert stages(ledger, "again") == {Stage.EXTRACTED: 2, Stage.DONE: 1}


def test_twice_is_as_good_as_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.ledger.rescan.BATCH", 2)
    scanned(ledger)
    campaign = ledger.open_campaign(again())
    first = ledger.rescan("one", campaign)
    second = ledger.rescan("one", campaign)
    assert (first.new, first.known) == (4, 0)
    assert (second.new, second.known) == (0, 4)
    assert sum(stages(ledger, "again").values()) == 4


def test_clips_in_use_again_do_not_expire(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1, keep_clips_s=0.0)
    ledger.finish([(to_classify(ledger, item, 1), judged())])
    begun(ledger)
    ledger.expire()
    assert ledger.doomed(10) == []
    (other,) = by_uri(ledger).values()
    assert claimed(ledger, other, Stage.EXTRACTED).extraction is not None


def test_changed_verdicts_are_told(ledger: Ledger) -> None:
    scanned(ledger)
    begun(ledger)
    for offer in [one.item for one in ledger.results("again") if one.stage is Stage.EXTRACTED]:
        claim = claimed(ledger, offer, Stage.EXTRACTED)
        ledger.finish([(claim, judged(0.1, Outcome.REAL))])
    found = list(ledger.changes("one", "again"))
    assert [(one.outcome_before, one.outcome) for one in found] == [
        (Outcome.FAKE, Outcome.REAL)
    ] * 2
    assert (found[0].probability_before, found[0].probability) == (0.9, 0.1)
    said = list(changes_text(found))
    assert said[-1] == "fake → real: 2 items"
    assert "fake 0.90 → real 0.10" in said[0]
    assert list(changes_text(ledger.changes("one", "one"))) == ["no verdict changed"]


def test_a_cancelled_campaign_takes_nothing_over(ledger: Ledger) -> None:
    scanned(ledger)
    campaign = begun(ledger)
    ledger.cancel("again")
    with pytest.raises(Unusable, match="rescan under another name"):
        ledger.rescan("one", campaign)
    with pytest.raises(Unusable, match="was cancelled"):
        ledger.rescan_plan("one", again())  # before anybody is asked to confirm it


def test_a_plan_for_the_name_of_another_campaign_is_refused(ledger: Ledger) -> None:
    scanned(ledger)
    begun(ledger)
    assert ledger.rescan_plan("one", again()).clips.items >= 1, "what has begun goes on"
    with pytest.raises(Unusable, match=r"frames is .*, not 40"):
        ledger.rescan_plan("one", again(spec=ScanSpec(frames=40)))


def test_another_campaign_cut_it_under_the_wanted_spec(ledger: Ledger) -> None:
    """Whoever made the clips, they serve."""
    wide = ScanSpec(frames=40)
    (item,) = submitted(ledger, 1)
    ledger.finish([(to_classify(ledger, item, 1), judged())])
    (other,) = submitted(ledger, 1, "wide", spec=wide)
    made = extracted(1)
    under = type(made.extraction)(**vars(made.extraction) | {"spec_digest": wide.digest})
    ledger.extracted(claimed(ledger, other), type(made)(**vars(made) | {"extraction": under}))
    assert ledger.rescan_plan("one", again(spec=wide)).clips.items == 1
