"""What a campaign stored is training material as it is: nothing is decoded again."""

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

import pytest

import settings
from infra.ledger import migrate
from infra.resources import Resources, build
from infra.sandbox.more import More
from producer.campaigns import Wanted, choose
from producer.clips import LIST, Exported, export_clips
from schemas.records import NewItem, Trust
from tasks.extract import extract_item
from unmask.media import extract
from unmask.media.values import Clip, Limits, Manifest
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec
from unmask.train.crops import BadData
from unmask.train.extracting import extract_all, load
from unmask.train.sets import find_items

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SPEC = find_bundle("lite").spec


class Here:
    """Cuts in this process."""

    cpu_seconds = 0.0

    def extract(
        self, file: IO[bytes], spec: ScanSpec, limits: Limits, more: More | None = None
    ) -> Iterator[Clip | Manifest]:
        return extract(cast("BinaryIO", file), spec, limits)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Resources]:
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    built = build(settings.load(database_url=address, store_url=str(tmp_path / "objects")))
    vars(built)["room"] = Here()
    yield built
    built.ledger.close()


def stored(tools: Resources) -> None:
    """A labelled picture and one in which nobody is found, extracted only."""
    options = choose(
        Wanted(extract_only=True), name="tapes", media="-", device="cpu",
        shelf=find_bundle("lite").folder.parent,
    )  # fmt: skip
    campaign = tools.ledger.open_campaign(options)
    found = {"picture.jpg": {"label": "fake", "method": "FaceSwap"}, "tiny-face.jpg": {}}
    items = [
        NewItem(uri=str(SAMPLES / name), trust=Trust.LOCAL, extra=extra)
        for name, extra in found.items()
    ]
    tools.ledger.submit(campaign, items)
    tools.ledger.offer(window=9, lease_s=60)
    for row in list(tools.ledger.results("tapes")):
        extract_item(row.item, tools, lambda _: None)


def test_stored_clips_are_read_as_they_are(tools: Resources, tmp_path: Path) -> None:
    stored(tools)
    done = export_clips(tools.ledger, tools.store, "tapes", tmp_path / "out")
    assert done == Exported(items=1, without=1)
    with (tmp_path / "out" / LIST).open(newline="") as file:
        [line] = csv.DictReader(file)
    sha256 = Path(line["path"]).parent.name
    assert (line["label"], line["method"], line["identities"]) == ("fake", "FaceSwap", sha256)
    [item] = find_items(tmp_path / "out" / LIST)
    assert (item.fake, item.name) == (True, f"FaceSwap/{sha256}")
    extract_all([item], tmp_path / "work", SPEC)
    assert not (tmp_path / "work").exists()
    with (SAMPLES / "picture.jpg").open("rb") as file:
        *_, fresh = extract(file, SPEC, Limits())
    assert isinstance(fresh, Manifest)
    assert item.path.read_bytes() == fresh.to_bytes()
    [person] = load(item, tmp_path / "work", SPEC).persons
    assert person.windows[0].frames.shape == (1, SPEC.size, SPEC.size, 3)
    other = dataclasses.replace(SPEC, frames=10)
    with pytest.raises(BadData, match=f"was cut under scan spec {SPEC.digest}"):
        extract_all([item], tmp_path / "work", other)
