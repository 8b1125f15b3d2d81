"""A worker whose time is over gives back what it fetches, however its server dawdles."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery.exceptions import Retry
from sqlalchemy import select

import settings
from infra.download import Buckets, DownloadLimits, Fetcher, stamp_of
from infra.guard import Guard
from infra.ledger import migrate
from infra.resources import Resources, build
from producer.campaigns import Wanted, choose
from schemas.records import NewItem, StoredObject, Trust
from schemas.stages import Stage
from schemas.tables import ItemTable
from tasks.drain import Drain, drain
from tasks.extract import extract_item
from tests.services.long_film import long_film
from tests.services.strangers import (
    MIB,
    Behaviour,
    Stranger,
    Visit,
    drip_body,
    drip_head,
    silent,
    silent_in_body,
    stranger,
)
from tests.services.test_download_parts import Ranges, honest
from unmask.media.coding import encode
from unmask.model.shelf import find_bundle

#: No limit of the download ends a fetch before the worker does.
LIMITS = DownloadLimits(deadline_s=200.0, idle_s=100.0)
#: The ticker looks four times a second, and a busy machine is slow.
GIVEN_BACK_WITHIN_S = 10.0


@dataclass
class Stand:
    tools: Resources
    server: Stranger
    behave: dict[str, Behaviour]
    stopped_at: float = 0.0

    def stop(self) -> None:
        """The worker's time is over."""
        drain.start(0.0)
        self.stopped_at = time.monotonic()

    def serve(self, behave: Behaviour, path: str = "/film") -> str:
        """As it does, but the worker is stopped first."""

        def over(visit: Visit) -> None:
            self.stop()
            behave(visit)

        self.behave[path] = over
        return self.server.url(path)

    def submit(self, uri: str, *, first: bool = False, stamp: str = "") -> None:
        options = choose(
            Wanted(extract_only=True, first=first),
            name="one",
            media="-",
            shelf=find_bundle("lite").folder.parent,
            device="cpu",
        )
        trust = Trust.LOCAL if stamp else Trust.REMOTE
        campaign = self.tools.ledger.open_campaign(options)
        self.tools.ledger.submit(campaign, [NewItem(uri=uri, trust=trust, stamp=stamp)])

    def is_given_back(self) -> None:
        """Soon, without a charge of any kind, and without a word against the host."""
        ledger = self.tools.ledger
        (offer,) = ledger.offer(window=10, lease_s=60)
        with pytest.raises(Retry, match="the worker is stopping; back to waiting"):
            extract_item(offer.item, self.tools, lambda _: None)
        assert time.monotonic() < self.stopped_at + GIVEN_BACK_WITHIN_S
        (row,) = ledger.results("one")
        assert (row.stage, row.attempts) == (Stage.WAITING, 0)
        *_, last = ledger.history(offer.item)
        assert (last.old, last.note) == (Stage.EXTRACTING, "the worker is stopping")
        with ledger.engine.connect() as db:
            assert db.scalar(select(ItemTable.fetch_tries)) == 0
        assert not any(one.times for one in ledger.happened("one").values())
        assert ledger.resting() == ()


@pytest.fixture
def stand(tmp_path: Path, s3_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(drain, "_memory", Drain()._memory)
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    built = build(settings.load(database_url=address, store_url=str(tmp_path / "objects")))
    with stranger() as (server, behave):
        fetcher = Fetcher(
            guard=guard(server, lambda _host, _port: ["127.0.0.1"]),
            limits=LIMITS,
            buckets=Buckets(
                names=frozenset({"films"}),
                endpoint_url=f"http://127.0.0.1:{server.port}",
                path_style=True,
            ),
        )
        tools = dataclasses.replace(built, fetcher=fetcher)
        yield Stand(tools, server, behave)
        tools.room.close()
        tools.ledger.close()


def guard(server: Stranger, resolver: Callable[[str, int], list[str]]) -> Guard:
    return Guard(allow_networks=["127.0.0.1/32"], ports=(server.port,), resolver=resolver)


SLOW = {"silent": silent, "head": drip_head, "body": drip_body, "silent body": silent_in_body}


@pytest.mark.parametrize("way", SLOW)
def test_a_slow_server(stand: Stand, way: str) -> None:
    stand.submit(stand.serve(SLOW[way]))
    stand.is_given_back()


@pytest.mark.parametrize("way", SLOW)
def test_a_slow_object_storage(stand: Stand, way: str) -> None:
    """Its client would try four times."""
    stand.serve(SLOW[way], "/films/one.mp4")
    stand.submit("s3://films/one.mp4")
    stand.is_given_back()
    assert len(stand.server.requests) == 1


@pytest.mark.parametrize("place", ["web", "bucket"])
def test_a_part_that_the_room_waits_for(stand: Stand, place: str) -> None:
    """The beginning came; what the decoder asks for next does not."""

    def give(ranges: Ranges, visit: Visit, first: int, last: int) -> None:
        if len(ranges.asked) > 1:
            stand.stop()
            silent_in_body(visit)
        honest(ranges, visit, first, last)

    film = Ranges(long_film("mp4, index at the end"), give=give)
    assert len(film.data) > MIB
    path = "/film" if place == "web" else "/films/film"
    stand.behave[path] = film
    stand.submit(stand.server.url(path) if place == "web" else "s3://films/film", first=True)
    stand.is_given_back()
    assert len(film.asked) == 2


def test_a_resolver_that_does_not_answer(stand: Stand) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        stand.stop()
        stand.server.stopping.wait(60)
        return ["127.0.0.1"]

    fetcher = Fetcher(guard=guard(stand.server, resolve), limits=LIMITS)
    stand.tools = dataclasses.replace(stand.tools, fetcher=fetcher)
    stand.submit(stand.server.url("/media"))
    stand.is_given_back()
    assert stand.server.requests == []


def test_a_large_file_of_this_machine(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four gigabytes of nothing take a while to hash."""
    file = tmp_path / "large.mp4"
    file.touch()
    os.truncate(file, LIMITS.max_bytes)
    stamp = stamp_of(file.stat())

    def stamp_and_stop(about: os.stat_result) -> str:
        stand.stop()
        return stamp_of(about)

    monkeypatch.setattr("infra.download.local.stamp_of", stamp_and_stop)
    stand.submit(str(file), stamp=stamp)
    hashed = list[str]()
    monkeypatch.setattr(stand.tools.ledger, "known", lambda sha256, *_: hashed.append(sha256))
    stand.is_given_back()
    assert hashed == []


@dataclass
class Dawdles:
    """An object store that takes what it is given, and says nothing."""

    stand: Stand

    def put(self, _key: str, _data: bytes) -> StoredObject:
        self.stand.stop()
        self.stand.server.stopping.wait(60)
        raise AssertionError("it was waited for")


def test_our_own_store_does_not_answer(stand: Stand, tmp_path: Path) -> None:
    file = tmp_path / "nobody.png"
    file.write_bytes(encode(np.full((240, 320, 3), 90, np.uint8), "png"))
    store: Any = Dawdles(stand)
    stand.tools = dataclasses.replace(stand.tools, store=store)
    stand.submit(str(file), stamp=stamp_of(file.stat()))
    stand.is_given_back()
