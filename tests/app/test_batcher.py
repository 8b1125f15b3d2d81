"""One task per item on top of one model thread: who is answered what, and who is charged."""

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from celery.exceptions import Retry
from sqlalchemy import text

import settings
from infra.ledger import Ledger, migrate
from infra.ledger.policy import Politeness
from infra.objects import FolderStore, clip_key, manifest_key
from infra.resources import Resources, build
from schemas.records import (
    CampaignOptions,
    Claim,
    Classified,
    Extracted,
    Extraction,
    Fetched,
    MediaFacts,
    NewItem,
    Offer,
    Trust,
)
from schemas.stages import Stage
from tasks import batcher as module
from tasks import pulse
from tasks.batcher import Batcher
from tasks.drain import Drain
from tasks.models import UnknownModel
from tasks.say import STALE
from tests.making.frames import a_frame
from tests.making.scores import a_score
from tests.polling import until
from unmask.errors import TryAgain
from unmask.media.clips import make_clip
from unmask.media.coding import encode
from unmask.media.values import Manifest, MediaInfo
from unmask.model.bundle import Bundle
from unmask.model.clips import PersonFrames
from unmask.model.heat import HeatMap, Warmed
from unmask.model.memory import DeviceLost, Probe, naming_lost_device
from unmask.model.shelf import find_bundle
from unmask.outcomes import Outcome
from unmask.verdict import WindowScore


def untrained(bundle: Bundle) -> Bundle:
    """The same under a description that judges nobody."""
    said = dataclasses.replace(
        bundle.description, untrained=True, calibration=None, thresholds=None
    )
    return dataclasses.replace(bundle, description=said)


LITE = untrained(find_bundle("lite"))
WITHIN_S = 20
#: A lost device ends the batcher's thread, and with it the worker, by an error nobody catches.
ends_by_an_error = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)


@dataclass
class FakePredictor:
    """Scores nothing, but remembers who came together and fails where it is told to."""

    bundle = LITE
    device = "cpu"
    calls: list[int] = field(default_factory=list)
    trouble: Callable[[Sequence[PersonFrames]], None] = lambda _: None
    gate: threading.Event = field(default_factory=threading.Event)

    def score(
        self, clips: Sequence[PersonFrames], deadline: Callable[[], None]
    ) -> list[list[WindowScore]]:
        self.gate.wait(WITHIN_S)
        deadline()
        self.calls.append(len(clips))
        self.trouble(clips)
        return [
            [a_score(person, number) for number in range(len(person.windows))] for person in clips
        ]

    def heat(self, wanted: Sequence[Warmed], deadline: Callable[[], None]) -> list[list[HeatMap]]:
        raise AssertionError("an untrained model suspects nobody")


@dataclass
class FakeModels:
    one: FakePredictor
    #: What it was told to be ready for; set once it was.
    pinned: list[str] = field(default_factory=list)
    is_warm: threading.Event = field(default_factory=threading.Event)
    trouble: Callable[[], None] = lambda: None

    def warm_up(self, digests: Iterable[str]) -> None:
        self.pinned = list(digests)
        self.is_warm.set()
        self.trouble()

    def predictor(self, digest: str) -> FakePredictor:
        if digest != LITE.digest:
            raise UnknownModel(f"no model of digest {digest}")
        return self.one


@dataclass
class Stand:
    tools: Resources
    predictor: FakePredictor
    models: FakeModels
    batcher: Batcher
    broken: threading.Event

    @property
    def ledger(self) -> Ledger:
        return self.tools.ledger

    def items(self, count: int, *, model: str = LITE.digest, name: str = "stand") -> list[int]:
        """Items whose clips are stored, as a CPU worker leaves them."""
        spec = LITE.spec
        campaign = self.ledger.open_campaign(
            CampaignOptions(name=name, model="lite", model_digest=model, spec=spec)
        )
        uris = [f"https://example.org/{name}/{number}.mp4" for number in range(count)]
        self.ledger.submit(campaign, [NewItem(uri=uri, trust=Trust.REMOTE) for uri in uris])
        return [self._extract(offer.item) for offer in self._offers()]

    def _offers(self) -> Sequence[Offer]:
        return [
            one for one in self.ledger.offer(window=1000, lease_s=60) if one.stage is Stage.WAITING
        ]

    def _extract(self, item: int) -> int:
        claim = self.ledger.claim(item, Stage.WAITING, owner="cpu", lease_s=60)
        assert claim is not None
        done = stored(self.tools, claim)
        assert self.ledger.extracted(claim, done) is Stage.EXTRACTED
        return item

    def start(self) -> None:
        self.batcher.start()
        self.predictor.gate.set()

    def stage(self, item: int) -> str:
        for campaign in self.ledger.campaigns():
            for row in self.ledger.results(campaign.options.name):
                if row.item == item:
                    return row.stage.value
        raise AssertionError(f"no item {item}")


def stored(
    tools: Resources, claim: Claim, change: Callable[[bytes], bytes] = lambda coded: coded
) -> Extracted:
    """What a CPU worker hands in; `change` is done to every face picture."""
    sha = hashlib.sha256(claim.uri.encode()).hexdigest()
    spec = claim.campaign.options.spec
    picture = np.full((spec.size, spec.size, 3), claim.item % 200, np.uint8)
    frames = [
        (
            a_frame(window=number // 5, time_s=number * 0.04),
            change(encode(picture, spec.coding)),
        )
        for number in range(10)
    ]
    clip, person = make_clip(0, frames)
    manifest = Manifest(
        media=MediaInfo(kind="video", container="mp4", codec="h264", width=64, height=64),
        spec_digest=spec.digest,
        size=spec.size,
        persons=(person,),
    ).to_bytes()
    digest = hashlib.sha256(manifest).hexdigest()
    kept = tools.store.put(clip_key(sha, spec.digest, person=0, clip_sha256=clip.sha256), clip.data)
    page = tools.store.put(manifest_key(sha, spec.digest, manifest_sha256=digest), manifest)
    return Extracted(
        fetched=Fetched(final_uri=claim.uri, sha256=sha, bytes_fetched=1),
        media=MediaFacts(kind="video", frames_analysed=10),
        extraction=Extraction(sha256=sha, spec_digest=spec.digest, manifest=page, clips=(kept,)),
        cpu_seconds=0.0,
    )


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Drain:
    """One of this test's own: the process's own can't be taken back."""
    made = Drain()
    monkeypatch.setattr(module, "drain", made)
    return made


@pytest.fixture
def stand(tmp_path: Path, drain: Drain) -> Iterator[Stand]:
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    tools = build(settings.load(database_url=address, store_url=str(tmp_path / "objects")))
    predictor, broken = FakePredictor(), threading.Event()
    models = FakeModels(predictor)
    made = Batcher(tools, models, broken.set)
    yield Stand(tools=tools, predictor=predictor, models=models, batcher=made, broken=broken)
    made.stop()
    tools.ledger.close()


def answers(futures: Sequence["Future[str]"]) -> list[str]:
    return [future.result(WITHIN_S) for future in futures]


def test_each_task_is_answered_when_its_own_result_is_there(stand: Stand) -> None:
    items = stand.items(5)
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    assert all("unsure" in answer for answer in answers(futures))
    assert {stand.stage(item) for item in items} == {"done"}
    assert max(stand.predictor.calls) > 1, "items asked for together were not scored together"


def test_an_item_asked_for_twice_is_scored_once_and_both_are_answered(stand: Stand) -> None:
    (item,) = stand.items(1)
    futures = [stand.batcher.submit(item) for _ in range(3)]
    stand.start()
    found = answers(futures)
    assert sum("unsure" in answer for answer in found) == 1
    assert sum("nothing to do" in answer for answer in found) == 2
    assert stand.predictor.calls == [1]


def test_its_pulse_shows_a_model_that_does_not_come_back(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the health check of a GPU worker goes by."""
    monkeypatch.setattr(pulse, "batcher", lambda: stand.batcher)
    assert pulse.pulse(None)["open"] == 0
    (item,) = stand.items(1)
    future = stand.batcher.submit(item)
    stand.batcher.start()  # the model waits at its gate
    until(lambda: pulse.pulse(None)["still_s"] > 0.5, within_s=WITHIN_S)
    assert pulse.pulse(None)["open"] == 1
    stand.predictor.gate.set()
    future.result(WITHIN_S)
    until(lambda: pulse.pulse(None)["still_s"] < 0.5, within_s=WITHIN_S)
    assert pulse.pulse(None)["open"] == 0


def test_a_poisonous_item_is_charged_alone(stand: Stand) -> None:
    items = stand.items(4)

    def trouble(clips: Sequence[PersonFrames]) -> None:
        shades = {int(clip.windows[0].frames[0, 0, 0, 0]) for clip in clips}
        if items[2] % 200 in shades:
            raise RuntimeError("poison")

    stand.predictor.trouble = trouble
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    with pytest.raises(Retry, match="poison"):
        futures[2].result(WITHIN_S)
    good = [future for number, future in enumerate(futures) if number != 2]
    assert all("unsure" in answer for answer in answers(good))
    assert {stand.stage(item) for item in items if item != items[2]} == {"done"}
    charged = [
        item for item in items if any("poison" in m.note for m in stand.ledger.history(item))
    ]
    assert charged == [items[2]]


def test_a_model_that_is_not_here_is_left_to_others_at_no_charge(stand: Stand) -> None:
    (item,) = stand.items(1, model="f" * 64, name="other")
    (mine,) = stand.items(1, name="mine")
    futures = [stand.batcher.submit(item), stand.batcher.submit(mine)]
    stand.start()
    with pytest.raises(Retry, match="no model"):
        futures[0].result(WITHIN_S)
    assert "unsure" in futures[1].result(WITHIN_S)
    assert stand.stage(item) == "extracted"


def test_damaged_clips_are_cut_anew_and_never_scored(stand: Stand) -> None:
    (item,) = stand.items(1)
    assert isinstance(stand.tools.store, FolderStore)
    for listed in list(stand.tools.store.list("clips/")):
        path = Path(stand.tools.settings.store_url) / listed.key
        if "manifest" not in path.name:
            path.chmod(0o644)
            path.write_bytes(b"x" * listed.size)
    future = stand.batcher.submit(item)
    stand.start()
    with pytest.raises(Retry):
        future.result(WITHIN_S)
    assert stand.predictor.calls == []
    assert stand.stage(item) == "waiting"


def test_a_stopping_worker_gives_items_back(stand: Stand, drain: Drain) -> None:
    (item,) = stand.items(1)
    future = stand.batcher.submit(item)
    drain.start(0.0)
    stand.start()
    with pytest.raises(Retry, match="stopping"):
        future.result(WITHIN_S)
    assert stand.stage(item) == "extracted"
    assert not stand.broken.is_set()


@ends_by_an_error
def test_a_lost_device_ends_the_worker_and_charges_nobody(stand: Stand) -> None:
    items = stand.items(3)

    def trouble(_: Sequence[PersonFrames]) -> None:
        raise DeviceLost("the GPU can't be used any more")

    stand.predictor.trouble = trouble
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    for future in futures:
        with pytest.raises(Retry, match=module.DEVICE_LOST):
            future.result(WITHIN_S)
    assert_given_back(stand, items)


def assert_given_back(stand: Stand, items: Sequence[int]) -> None:
    """The worker ends, and whoever comes next may take everything at once, as a first try."""
    assert stand.broken.wait(WITHIN_S)
    assert {stand.stage(item) for item in items} == {"extracted"}
    for item in items:
        claim = stand.ledger.claim(item, Stage.EXTRACTED, owner="another", lease_s=60)
        assert claim is not None
        assert claim.attempt == 1


def classifies(stand: "Stand", item: int) -> bool:
    return stand.stage(item) == "classifying"


def tell(futures: Sequence["Future[str]"]) -> None:
    for future in futures:
        with pytest.raises(Retry, match=module.DEVICE_LOST):
            future.result(WITHIN_S)


@ends_by_an_error
def test_what_waits_behind_a_lost_device_is_given_back_too(stand: Stand) -> None:
    """One batch is asked for, one is ready, and one is claimed that has no room to wait in."""
    items = stand.items(3)
    entered, go = threading.Event(), threading.Event()

    def trouble(_: Sequence[PersonFrames]) -> None:
        entered.set()
        go.wait(WITHIN_S)
        raise DeviceLost("the GPU can't be used any more")

    stand.predictor.trouble = trouble
    futures = [stand.batcher.submit(items[0])]
    stand.start()
    assert entered.wait(WITHIN_S)
    for item in items[1:]:
        futures.append(stand.batcher.submit(item))
        until(partial(classifies, stand, item), within_s=WITHIN_S)
    go.set()
    tell(futures)
    assert_given_back(stand, items)


@ends_by_an_error
def test_what_is_claimed_while_the_device_is_lost_is_given_back(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = stand.items(2)
    entered, claiming = threading.Event(), threading.Event()
    claim_many = stand.ledger.claim_many

    def trouble(_: Sequence[PersonFrames]) -> None:
        entered.set()
        claiming.wait(WITHIN_S)
        raise DeviceLost("the GPU can't be used any more")

    def slow(items: Sequence[int], *args: Any, **more: Any) -> list[Claim]:
        if late in items:
            claiming.set()
            assert stand.broken.wait(WITHIN_S)
        return claim_many(items, *args, **more)

    stand.predictor.trouble = trouble
    monkeypatch.setattr(stand.ledger, "claim_many", slow)
    futures = [stand.batcher.submit(first)]
    stand.start()
    assert entered.wait(WITHIN_S)
    futures.append(stand.batcher.submit(late))
    tell(futures)
    until(
        lambda: any(module.DEVICE_LOST in move.note for move in stand.ledger.history(late)),
        within_s=WITHIN_S,
    )
    assert_given_back(stand, [first, late])


@ends_by_an_error
def test_a_device_that_is_lost_while_items_run_alone_charges_nobody(stand: Stand) -> None:
    """What it said first was no such thing; that came when the batch was tried one by one."""
    items = stand.items(3)

    def trouble(clips: Sequence[PersonFrames]) -> None:
        if len(clips) > 1:
            raise RuntimeError("something else")
        raise DeviceLost("the GPU can't be used any more")

    stand.predictor.trouble = trouble
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    tell(futures)
    assert_given_back(stand, items)


def answers_well(_: torch.device) -> None:
    """Nothing is wrong with it."""


def is_lost(_: torch.device) -> None:
    raise torch.AcceleratorError("CUDA error: unspecified launch failure")


@ends_by_an_error
@pytest.mark.parametrize(
    ("words", "probe"),
    [
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", answers_well),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(h)`", answers_well),
        ("an error of any name", is_lost),
    ],
)
def test_a_device_that_fails_under_another_name_charges_nobody(
    stand: Stand, words: str, probe: Probe
) -> None:
    items = stand.items(2)

    def trouble(_: Sequence[PersonFrames]) -> None:
        with naming_lost_device(torch.device("cuda"), probe):
            raise RuntimeError(words)

    stand.predictor.trouble = trouble
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    tell(futures)
    assert_given_back(stand, items)


def test_what_running_campaigns_pin_is_ready_before_the_first_item(stand: Stand) -> None:
    """The newest first: of many only the first are kept."""
    for name, model in (("old", "a" * 64), ("gone", "b" * 64), ("new", "c" * 64)):
        spec = LITE.spec
        stand.ledger.open_campaign(
            CampaignOptions(name=name, model="lite", model_digest=model, spec=spec)
        )
    stand.ledger.cancel("gone")
    stand.start()
    assert stand.models.is_warm.wait(WITHIN_S)
    assert stand.models.pinned == ["c" * 64, "a" * 64]


def test_a_ledger_that_is_away_at_the_start_ends_no_worker(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = stand.items(1)

    def away() -> Any:
        raise TryAgain("the database is away")

    with monkeypatch.context() as now:
        now.setattr(stand.ledger, "campaigns", away)
        stand.start()
        assert stand.models.is_warm.wait(WITHIN_S)
    assert stand.models.pinned == []
    assert "unsure" in stand.batcher.submit(item).result(WITHIN_S)


@ends_by_an_error
def test_a_device_that_is_lost_at_the_start_ends_the_worker(stand: Stand) -> None:
    items = stand.items(2)

    def trouble() -> None:
        until(lambda: {stand.stage(item) for item in items} == {"classifying"}, within_s=WITHIN_S)
        raise DeviceLost("the GPU can't be used any more")

    stand.models.trouble = trouble
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    tell(futures)
    assert_given_back(stand, items)


def twins(stand: Stand) -> list[int]:
    """Two items whose bytes are the same, each cut under its own address."""
    first, second = stand.items(2)
    with stand.ledger.engine.begin() as db:
        made = db.execute(text("SELECT extraction_id FROM item WHERE id = :i"), {"i": first})
        shared = {"e": made.scalar_one(), "i": second}
        db.execute(text("UPDATE item SET extraction_id = :e WHERE id = :i"), shared)
    return [first, second]


def test_a_clip_is_scored_once_in_a_batch(stand: Stand) -> None:
    futures = [stand.batcher.submit(item) for item in twins(stand)]
    stand.start()
    assert all("unsure" in answer for answer in answers(futures))
    assert stand.predictor.calls == [1]


def test_content_that_was_judged_meanwhile_is_not_judged_again(stand: Stand) -> None:
    first, second = twins(stand)
    with stand.ledger.engine.begin() as db:
        db.execute(
            text("UPDATE item SET sha256 = (SELECT sha256 FROM item WHERE id = :i)"), {"i": first}
        )
    one = stand.batcher.submit(first)
    stand.start()
    answers([one])
    assert answers([stand.batcher.submit(second)]) == [f"same content as item {first}"]
    assert stand.predictor.calls == [1]
    assert stand.stage(second) == "done"


def test_a_score_outlives_its_result(stand: Stand) -> None:
    (item,) = stand.items(1)
    one = stand.batcher.submit(item)
    stand.start()
    answers([one])
    assert stand.ledger.requeue("stand", {Outcome.UNSURE}) == 1
    assert "unsure" in answers([stand.batcher.submit(item)])[0]
    assert sum(stand.predictor.calls) == 1


def test_who_was_lost_before_runs_when_nobody_else_is_here(stand: Stand) -> None:
    """Its batch died with its worker: should it be at fault, nobody else is hurt this time."""
    items = stand.items(3)
    stand.ledger.claim_many(items[:2], Stage.EXTRACTED, owner="gpu:9", lease_s=0.001)
    while stand.ledger.sweep().returned:
        pass
    with stand.ledger.engine.begin() as db:
        db.execute(text("UPDATE item SET not_before = 0"))
    company: list[int] = []

    def look(_: Sequence[PersonFrames]) -> None:
        with stand.ledger.engine.begin() as db:
            held = "SELECT count(*) FROM item WHERE stage = 'classifying'"
            company.append(db.execute(text(held)).scalar_one())

    stand.predictor.trouble = look
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    assert all("unsure" in answer for answer in answers(futures))
    assert company == [1, 1, 1]


def test_what_was_claimed_is_judged_though_the_ledger_then_was_away(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would renew a claim whose task was sent away, or work on it before it ended."""
    mine, taken = stand.items(2)
    stand.ledger.claim(taken, Stage.EXTRACTED, owner="another", lease_s=60)

    def away(_items: Iterable[int], _stage: Stage) -> set[int]:
        raise TryAgain("the database is away")

    monkeypatch.setattr(stand.ledger, "run_alone", away)
    futures = [stand.batcher.submit(item) for item in (mine, taken)]
    stand.start()
    assert "unsure" in futures[0].result(WITHIN_S)
    with pytest.raises(Retry, match="away"):
        futures[1].result(WITHIN_S)


def test_results_that_could_not_be_written_are_held_while_they_are_scored_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, finish, renew = stand.items(3), stand.ledger.finish, stand.ledger.renew
    renewed: list[set[int]] = []

    def away_at_first(done: Sequence[tuple[Claim, Classified]]) -> set[int]:
        if len(done) > 1:
            raise TryAgain("the database is away")
        return finish(done)

    def note(held: Sequence[Claim], *, lease_s: float) -> set[int]:
        renewed.append(renew(held, lease_s=lease_s))
        return renewed[-1]

    def look(_: Sequence[PersonFrames]) -> None:
        stand.batcher._heartbeat._renew()

    monkeypatch.setattr(stand.ledger, "finish", away_at_first)
    monkeypatch.setattr(stand.ledger, "renew", note)
    stand.predictor.trouble = look
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    assert all("unsure" in answer for answer in answers(futures))
    assert stand.predictor.calls == [3, 1, 1, 1]
    assert renewed == [set(items), set(items), set(items[1:]), set(items[2:])]


def lose_the_lease(stand: Stand) -> None:
    """Its deadline is over, and the heart beats on."""
    with stand.ledger.engine.begin() as db:
        db.execute(text("UPDATE item SET lease_until = 1, deadline_at = 1"))
    assert stand.ledger.sweep().returned == 1
    stand.batcher._heartbeat._renew()


def stuck_after(monkeypatch: pytest.MonkeyPatch, stand: Stand, seconds: float) -> None:
    beyond_s = seconds - stand.tools.settings.classify_deadline_s
    monkeypatch.setattr(module, "STUCK_AFTER_S", beyond_s)


def test_a_model_that_never_comes_back_ends_its_worker(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heart beats on; that its leases were lost was seen before it counts as stuck."""
    item, late = stand.items(2)
    never = threading.Event()
    entered = threading.Event()

    def loop(_: Sequence[PersonFrames]) -> None:
        entered.set()
        never.wait(WITHIN_S)

    stand.predictor.trouble = loop
    future = stand.batcher.submit(item)
    stand.start()
    assert entered.wait(WITHIN_S)
    lose_the_lease(stand)
    assert not stand.broken.is_set()
    stuck_after(monkeypatch, stand, 0.0)
    with pytest.raises(Retry, match="never came back"):
        future.result(WITHIN_S)
    assert stand.broken.wait(WITHIN_S)
    # What Celery begins before it has heard that the worker stops.
    with pytest.raises(Retry, match="never came back"):
        stand.batcher.submit(late).result(WITHIN_S)
    assert stand.batcher.open_items == 0
    never.set()


def test_who_waits_for_the_ledger_is_not_stuck(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that hangs is given up by the ledger itself; a new worker would wait as well."""
    stuck_after(monkeypatch, stand, 1.0)
    (item,) = stand.items(1)
    entered, back = threading.Event(), threading.Event()
    known = stand.ledger.scores

    def slow(model: str, clips: Sequence[str]) -> Any:
        entered.set()
        back.wait(WITHIN_S)
        return known(model, clips)

    monkeypatch.setattr(stand.ledger, "scores", slow)
    future = stand.batcher.submit(item)
    stand.start()
    assert entered.wait(WITHIN_S)
    lose_the_lease(stand)
    until(lambda: time.monotonic() > stand.batcher.beat + 2.0)
    back.set()
    assert future.result(WITHIN_S) == STALE
    assert not stand.broken.is_set()


def test_a_store_that_is_away_lets_the_fleet_rest(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stand.items(4)

    def full(self: FolderStore, key: str, data: bytes) -> None:
        raise TryAgain("no space left", after_s=0)

    monkeypatch.setattr(FolderStore, "put", full)
    futures = [stand.batcher.submit(item) for item in items]
    stand.start()
    for future in futures:
        with pytest.raises(Retry, match="no space left"):
            future.result(WITHIN_S)
    (rest,) = stand.ledger.resting()
    # The fourth was under way when the rest began.
    assert (rest.name, rest.trouble) == ("object storage", Politeness().patience)
    assert stand.ledger.offer(window=100, lease_s=60) == []
    assert {stand.stage(item) for item in items} == {"extracted"}, "nobody is charged"
