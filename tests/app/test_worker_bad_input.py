"""What a GPU worker is handed may be broken: it says so in a sentence, and the queue keeps moving.

The batcher, the shelf and the models are the worker's own; every bad item goes in with a good one.
"""

import dataclasses
import hashlib
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from celery.exceptions import Retry
from sqlalchemy import text

import settings
from infra.ledger import Ledger, migrate
from infra.objects import FolderStore, manifest_key
from infra.resources import Resources, build
from schemas.records import CampaignOptions, Extracted, Happening, NewItem, Trust
from schemas.stages import Stage
from tasks import batcher as module
from tasks.batcher import Batcher
from tasks.models import Models
from tests.app.test_batcher import WITHIN_S, stored
from tests.making.bundles import description, write_bundle
from tests.polling import until
from unmask.media.coding import encode
from unmask.media.manifest import read_manifest
from unmask.media.sides import sides
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.predict import build as build_network
from unmask.model.write import add_golden, write_description
from unmask.outcomes import Outcome

GOOD = "good"


@dataclasses.dataclass
class Worker:
    tools: Resources
    shelf: Path
    good: Bundle
    batcher: Batcher

    @property
    def ledger(self) -> Ledger:
        return self.tools.ledger

    def item(
        self,
        name: str,
        model: Bundle,
        spoil: Callable[[Extracted], Extracted] = lambda done: done,
        change: Callable[[bytes], bytes] = lambda coded: coded,
    ) -> int:
        """An item whose clips are stored, some of them spoilt on the way."""
        options = CampaignOptions(
            name=name, model=model.name, model_digest=model.digest, spec=model.spec
        )
        campaign = self.ledger.open_campaign(options)
        new = NewItem(uri=f"https://example.org/{name}.mp4", trust=Trust.REMOTE)
        self.ledger.submit(campaign, [new])
        [row] = self.ledger.results(name)
        claim = self.ledger.claim(row.item, Stage.WAITING, owner="cpu", lease_s=60)
        assert claim is not None
        assert (
            self.ledger.extracted(claim, spoil(stored(self.tools, claim, change)))
            is Stage.EXTRACTED
        )
        return row.item

    def answer(self, item: int) -> str:
        """What the task says in the end, in words."""
        try:
            return self.batcher.submit(item).result(WITHIN_S)
        except Retry as retry:
            return str(retry)

    def stage(self, name: str) -> str:
        [row] = self.ledger.results(name)
        return row.stage.value


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(module, "REST_S", 0.05)
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    shelf = tmp_path / "models"
    good = write_bundle(shelf / GOOD)
    tools = build(
        settings.load(
            database_url=address, store_url=str(tmp_path / "objects"), models_dir=str(shelf)
        )
    )
    batcher = Batcher(tools, Models(shelf, "cpu"), lambda: None)
    batcher.start()
    yield Worker(tools=tools, shelf=shelf, good=good, batcher=batcher)
    batcher.stop()
    tools.ledger.close()


def refused(worker: Worker, bad: int, *words: str) -> None:
    """The bad item is told why, in one line; the good one beside it has its row."""
    good = worker.item("beside", worker.good)
    answers = [worker.batcher.submit(item) for item in (bad, good)]
    assert "unsure" in answers[1].result(WITHIN_S)
    with pytest.raises(Retry) as told:
        answers[0].result(WITHIN_S)
    for word in words:
        assert word in str(told.value)
    assert "\n" not in str(told.value)
    assert worker.stage("beside") == "done"
    assert "unsure" in worker.answer(worker.item("after", worker.good))


# --- bundles ---


def spoilt_bundle(worker: Worker, weights: bytes, sha256: str | None = None) -> Bundle:
    """Its name comes before the good one's: a worker that stops there never sees that one."""
    folder = worker.shelf / "a-bad-one"
    said = {
        "encoding": "fp32",
        "file": "weights.safetensors",
        "sha256": sha256 or hashlib.sha256(weights).hexdigest(),
    }
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(weights)
    return write_bundle(folder, name="bad", weights=said)


def tensors(worker: Worker, **changes: torch.Tensor | None) -> bytes:
    state: dict[str, Any] = dict(build_network(worker.good).state_dict()) | {
        name.replace("__", "."): tensor for name, tensor in changes.items()
    }
    return safetensors.torch.save({name: t for name, t in state.items() if t is not None})


def test_weights_of_another_digest(worker: Worker) -> None:
    bad = spoilt_bundle(worker, tensors(worker), sha256="0" * 64)
    refused(worker, worker.item("bad", bad), "has digest", "a-bad-one")


def test_an_item_is_not_charged_for_a_machine_that_computes_wrongly(worker: Worker) -> None:
    """Its golden clip has another score here. The brake counts it, so that a person is told."""
    bad = write_bundle(worker.shelf / "a-bad-one", name="bad")
    add_golden(bad)
    said = open_bundle(bad.folder).description
    assert said.golden is not None
    wrong = dataclasses.replace(said.golden, margin=said.golden.margin + 1)
    write_description(bad.folder, dataclasses.replace(said, golden=wrong))
    item = worker.item("bad", open_bundle(bad.folder))
    for times in range(1, 5):
        assert "computes wrongly" in worker.answer(item)
        assert worker.stage("bad") == "extracted"
        failed = worker.ledger.happened("bad")[Happening.FAILED]
        assert (failed.times, "computes wrongly" in failed.words) == (times, True)
        until(lambda: bool(worker.ledger.offer(window=9, lease_s=60)), within_s=WITHIN_S)
    claim = worker.ledger.claim(item, Stage.EXTRACTED, owner="another", lease_s=60)
    assert claim is not None
    assert claim.attempt == 1


def test_a_missing_tensor(worker: Worker) -> None:
    bad = spoilt_bundle(worker, tensors(worker, linear__weight=None))
    refused(worker, worker.item("bad", bad), "missing: linear.weight")


def test_weights_that_are_no_numbers(worker: Worker) -> None:
    bad = spoilt_bundle(worker, tensors(worker, linear__weight=torch.full((2, 32), torch.nan)))
    refused(worker, worker.item("bad", bad), "not finite: linear.weight")


def test_weights_whose_answer_is_no_number(worker: Worker) -> None:
    bad = spoilt_bundle(worker, tensors(worker, linear__bias=torch.tensor([3e38, -3e38])))
    refused(worker, worker.item("bad", bad), "an answer of its network is no number")


def test_weights_of_another_type(worker: Worker) -> None:
    whole = torch.ones((2, 32), dtype=torch.int32)
    bad = spoilt_bundle(worker, tensors(worker, linear__weight=whole))
    refused(worker, worker.item("bad", bad), "of another type: linear.weight")


def test_a_scale_of_another_length(worker: Worker) -> None:
    own = {"linear.weight": torch.ones((2, 32), dtype=torch.int8)}
    bad = spoilt_bundle(worker, tensors(worker, **own, **{"linear.weight::scale": torch.ones(3)}))
    refused(worker, worker.item("bad", bad), "scales fit no int8 tensor", "linear.weight::scale")


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_a_pickle_in_the_place_of_weights(worker: Worker, tmp_path: Path) -> None:
    bad = spoilt_bundle(worker, pickle.dumps(Bomb(tmp_path / "ran")))
    refused(worker, worker.item("bad", bad), "no safetensors file")
    assert not (tmp_path / "ran").exists()


def test_an_unknown_architecture_on_the_shelf(worker: Worker) -> None:
    """It can't be opened at all, so nothing of its digest is here.

    As it should be it never lies there: a worker that looks early would judge by it.
    """
    good = write_bundle(worker.shelf.parent / "elsewhere", name="bad")
    whole = description(name="bad", architecture={"trunk": "vgg19", "width": 32})
    (worker.shelf / "a-bad-one").mkdir()
    (worker.shelf / "a-bad-one" / "model.json").write_text(json.dumps(whole))
    refused(worker, worker.item("bad", good), "no model of digest")
    assert worker.stage("bad") == "extracted"


# --- clips ---


def rewritten(worker: Worker, change: Callable[[dict[str, Any]], None]) -> Any:
    """Puts another manifest in the place of the item's own."""

    def spoil(done: Extracted) -> Extracted:
        old = done.extraction.manifest
        page = json.loads(worker.tools.store.get(old.key, sha256=old.sha256))
        change(page)
        data = json.dumps(page).encode()
        key = manifest_key(
            done.extraction.sha256,
            done.extraction.spec_digest,
            manifest_sha256=hashlib.sha256(data).hexdigest(),
        )
        kept = worker.tools.store.put(key, data)
        return dataclasses.replace(
            done, extraction=dataclasses.replace(done.extraction, manifest=kept)
        )

    return spoil


def no_frames(page: dict[str, Any]) -> None:
    page["persons"][0] |= {"frames": [], "clip_bytes": 0}


def test_a_clip_without_frames(worker: Worker) -> None:
    item = worker.item("bad", worker.good, rewritten(worker, no_frames))
    refused(worker, item, "person 0: no frame")


def of_another_size(page: dict[str, Any]) -> None:
    page["size"] = 64


def test_a_clip_of_another_size(worker: Worker) -> None:
    item = worker.item("bad", worker.good, rewritten(worker, of_another_size))
    refused(worker, item, "the clip of person 1 is broken", "64×64")
    assert worker.stage("bad") == "waiting", "it is cut anew"


def of_an_older_release(page: dict[str, Any]) -> None:
    page["version"] = 1


def test_clips_of_another_release_are_cut_anew(worker: Worker) -> None:
    item = worker.item("bad", worker.good, rewritten(worker, of_an_older_release))
    refused(worker, item, "version 1")
    assert worker.stage("bad") == "waiting"


#: Of a QOI: the magic word, both sides, channels and colour space.
HEADER = 14


def without_pixels(coded: bytes) -> bytes:
    """A header alone: the room's results pass with it, and no picture comes of it."""
    headed = coded[:HEADER]
    assert sides(headed) == (112, 112)
    return headed


def test_a_clip_of_good_headers_and_no_pixels_is_cut_anew(worker: Worker) -> None:
    item = worker.item("bad", worker.good, change=without_pixels)
    refused(worker, item, "the clip of person 1 is broken: frame 0 is no picture")
    assert worker.stage("bad") == "waiting"


def test_where_it_is_no_better_when_cut_anew_it_is_undecodable(worker: Worker) -> None:
    """The file is at fault, or whatever it did to its decoder; no worker of ours."""
    item = worker.item("bad", worker.good, change=without_pixels)
    with worker.ledger.engine.begin() as db:
        db.execute(text("UPDATE item SET charged = 2 WHERE id = :i"), {"i": item})
    assert worker.answer(item).startswith("undecodable: the clip of person 1 is broken")
    [row] = worker.ledger.results("bad")
    assert (row.stage, row.outcome) == (Stage.REJECTED, Outcome.UNDECODABLE)
    assert row.reason.endswith("frame 0 is no picture (tried 3 times)")


def test_a_clip_whose_bytes_are_not_its_hash(worker: Worker) -> None:
    item = worker.item("bad", worker.good)
    assert isinstance(worker.tools.store, FolderStore)
    picture = encode(np.zeros((112, 112, 3), np.uint8), worker.good.spec.coding)
    for listed in list(worker.tools.store.list("clips/")):
        path = Path(worker.tools.settings.store_url) / listed.key
        if "manifest" not in path.name:
            path.chmod(0o644)
            path.write_bytes(picture.ljust(listed.size, b"\0")[: listed.size])
        else:
            read_manifest(path.read_bytes())
    refused(worker, item, "hash")
    assert worker.stage("bad") == "waiting"
