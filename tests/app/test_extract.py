"""How one item ends the CPU stage: by its own fault, by the world's, or by ours."""

import dataclasses
import hashlib
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Literal, cast

import httpx
import pytest
from celery.exceptions import Retry

import settings
from infra.download import Content, DownloadLimits, Follow, NotInParts, Web
from infra.download.limits import Wire
from infra.download.parts import Parts
from infra.guard import Guard
from infra.ledger import Ledger, migrate
from infra.objects import FolderStore
from infra.resources import Resources, build
from infra.sandbox.more import More
from producer.campaigns import Wanted, choose
from schemas.records import (
    Claim,
    Fetched,
    Happening,
    Led,
    NewItem,
    ResultRow,
    StoredObject,
    Trust,
)
from schemas.stages import Stage
from tasks.extract import extract_handful, extract_item, media_facts
from tasks.ticker import ticker
from tasks.visits import Visit
from tests.making.frames import a_frame
from tests.polling import until
from unmask.errors import OwnTrouble, Refused, TryAgain, Unanswered
from unmask.media.values import Clip, Limits, Manifest, MediaInfo, Person
from unmask.model.shelf import find_bundle
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

PICTURE = b"a face, as far as this test is concerned"


@dataclass
class FakeFetcher:
    """Gives every address its own bytes, or the trouble it is told to give."""

    content: Callable[[str], bytes] = str.encode
    trouble: Exception | None = None
    #: Where its addresses are redirected to.
    away: str = ""
    follow: Follow = lambda _: None

    @contextmanager
    def fetch(self, uri: str, trust: Trust, stamp: str = "") -> Iterator[Content]:
        if self.away:
            self.follow(self.away)
        if self.trouble:
            raise self.trouble
        data = self.content(uri)
        sha = hashlib.sha256(data).hexdigest()
        fetched = Fetched(final_uri=uri, sha256=sha, bytes_fetched=len(data))
        yield Content(file=io.BytesIO(data), fetched=fetched)

    @contextmanager
    def fetch_beginning(self, uri: str, trust: Trust, stamp: str = "") -> Iterator[Content]:
        """The first half is here."""
        with self.fetch(uri, trust, stamp) as content, TemporaryFile() as file:
            data = content.file.read()
            file.write(data)
            parts = Parts(
                into=cast("BinaryIO", file),
                url=httpx.URL(uri),
                web=Web(guard=Guard(), limits=DownloadLimits(), wire=Wire(limit=len(data))),
                size=len(data),
                validator='"one"',
                held=((0, len(data) // 2),),
                received=len(data) // 2,
            )
            yield Content(file=content.file, fetched=content.fetched, parts=parts)

    def after(self, lost: NotInParts) -> "FakeFetcher":
        return self

    def telling(self, follow: Follow) -> "FakeFetcher":
        return dataclasses.replace(self, follow=follow)


@dataclass
class FakeRoom:
    """Finds one person in every file, or fails as it is told to."""

    trouble: Exception | None = None
    outcome: Outcome | None = None
    #: Where a file does not come in parts after all.
    lost: NotInParts | None = None
    files: int = 0
    cpu_seconds: float = 0.5

    def extract(
        self, file: IO[bytes], spec: ScanSpec, limits: Limits, more: More | None = None
    ) -> Iterator[Clip | Manifest]:
        self.files += 1
        if self.trouble:
            raise self.trouble
        if more and self.lost:
            raise self.lost
        sha = hashlib.sha256(PICTURE).hexdigest()
        if self.outcome is None:
            yield Clip(person=0, sha256=sha, data=PICTURE)
        yield Manifest(
            media=MediaInfo(kind="video", container="mp4", codec="h264", width=64, height=48),
            spec_digest=spec.digest,
            size=spec.size,
            persons=() if self.outcome else (_person(sha),),
            outcome=self.outcome,
            reason="nobody is in it" if self.outcome else "",
        )

    def close(self) -> None:
        """Nothing is open."""


def _person(sha: str) -> Person:
    frame = a_frame(length=len(PICTURE))
    return Person(person=0, clip_sha256=sha, clip_bytes=len(PICTURE), frames=(frame,))


@dataclass
class Stand:
    tools: Resources
    fetcher: FakeFetcher
    room: FakeRoom
    rung: list[int] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        return self.tools.ledger

    def submit(
        self, *uris: str, name: str = "stand", extract_only: bool = False, first: bool = False
    ) -> list[int]:
        wanted = Wanted(extract_only=extract_only, first=first)
        options = choose(
            wanted, name=name, media="-", shelf=find_bundle("lite").folder.parent, device="cpu"
        )
        campaign = self.ledger.open_campaign(options)
        self.ledger.submit(campaign, [NewItem(uri=uri, trust=Trust.REMOTE) for uri in uris])
        return sorted(row.item for row in self.ledger.results(name))

    def extract(self, item: int) -> str:
        self.ledger.offer(window=100, lease_s=60)
        return extract_item(item, self.tools, lambda claim: self.rung.append(claim.item))

    def extract_together(self, items: list[int]) -> dict[int, str]:
        self.ledger.offer(window=100, lease_s=60)
        ring = self.rung.append
        ended = extract_handful(items, self.tools, lambda claim: ring(claim.item))
        return {item: str(words) for item, words in ended.items()}

    def row(self, item: int, name: str = "stand") -> ResultRow:
        return next(row for row in self.ledger.results(name) if row.item == item)

    def notes(self, item: int) -> str:
        return " | ".join(move.note for move in self.ledger.history(item))


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    built = build(settings.load(database_url=address, store_url=str(tmp_path / "objects")))
    fetcher, room = FakeFetcher(), FakeRoom()
    tools = dataclasses.replace(built, fetcher=fetcher)
    vars(tools)["room"] = room
    yield Stand(tools=tools, fetcher=fetcher, room=room)
    tools.ledger.close()


def test_clips_are_stored_and_the_next_stage_is_told(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    assert "1 person" in stand.extract(item)
    assert stand.rung == [item]
    assert stand.row(item).stage == "extracted"
    keys = [listed.key for listed in stand.tools.store.list("clips/")]
    assert len(keys) == 2


def test_an_item_that_has_ended_is_not_lost_while_the_next_stage_is_told(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis may take long, and the ledger is asked for the lease meanwhile."""
    (item,) = stand.submit("https://example.org/a.mp4")
    often = stand.tools.settings.model_copy(update={"heartbeat_s": 0.0})
    tools = dataclasses.replace(stand.tools, settings=often)
    looks = list[bool]()

    def slow(_: Claim) -> None:
        number = ticker.add(lambda: looks.append(True))
        until(lambda: len(looks) >= 2)
        ticker.remove(number)

    stand.ledger.offer(window=100, lease_s=60)
    vars(tools)["room"] = stand.room
    assert "1 person" in extract_item(item, tools, slow)
    assert "lost the lease" not in caplog.text


def test_each_of_a_handful_ends_in_its_own_way(stand: Stand) -> None:
    blocked, silent, good = stand.submit(*(f"https://{n}.example.org/{n}.mp4" for n in range(3)))

    def content(uri: str) -> bytes:
        if uri.endswith("0.mp4"):
            raise Refused(Outcome.BLOCKED, "a private address")
        if uri.endswith("1.mp4"):
            raise Unanswered("no answer")
        return uri.encode()

    stand.fetcher.content = content
    told = stand.extract_together([blocked, silent, good])
    assert told[blocked] == "blocked: a private address"
    assert told[silent].startswith("no answer; back to waiting")
    assert told[good].startswith("1 person")
    assert stand.rung == [good]
    stages = [stand.row(item).stage for item in (blocked, silent, good)]
    assert stages == ["rejected", "waiting", "extracted"]
    assert stand.extract_together([blocked, good]) == {}, "nothing of it is free any more"


def test_what_a_host_says_to_one_holds_for_its_others(stand: Stand) -> None:
    """It asks for an hour: nobody else of the handful knocks there."""
    asked = []

    def content(uri: str) -> bytes:
        asked.append(uri)
        raise TryAgain("HTTP 429", after_s=3600.0)

    uris = [f"https://example.org/{n}.mp4" for n in range(3)]
    items = stand.submit(*uris)
    stand.fetcher.content = content
    told = stand.extract_together(items)
    assert asked == uris[:1]
    assert all("HTTP 429" in told[item] for item in items)
    assert [stand.row(item).stage for item in items] == ["waiting"] * 3
    assert stand.ledger.offer(window=100, lease_s=60) == []


def test_what_was_lost_before_is_left_out_of_a_handful(stand: Stand) -> None:
    """Should it be poison, nobody else is with it."""
    lost, fresh = stand.submit("https://example.org/0.mp4", "https://example.org/1.mp4")
    stand.ledger.offer(window=100, lease_s=60)
    claim = stand.ledger.claim(lost, Stage.WAITING, owner="a worker that dies", lease_s=0.0)
    assert claim is not None
    assert stand.ledger.sweep().returned == 1
    assert stand.extract_together([lost, fresh]).keys() == {fresh}
    assert [stand.row(item).stage for item in (lost, fresh)] == ["waiting", "extracted"]


def test_a_second_message_for_the_same_item_does_nothing(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    stand.extract(item)
    assert "nothing to do" in stand.extract(item)
    assert stand.room.files == 1


def test_the_items_own_fault_is_a_typed_end_that_knows_the_bytes(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    stand.room.trouble = Refused(Outcome.UNDECODABLE, "no frame can be decoded")
    assert stand.extract(item) == "undecodable: no frame can be decoded"
    row = stand.row(item)
    assert (row.stage, row.outcome) == ("rejected", "undecodable")
    assert row.sha256 == hashlib.sha256(b"https://example.org/a.mp4").hexdigest()
    assert row.bytes_fetched > 0


def test_where_a_redirect_ended_is_told_without_its_secret(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4?token=planted")
    stand.room.outcome = Outcome.NO_FACE
    stand.extract(item)
    row = stand.row(item)
    assert row.final_uri is not None
    assert row.final_uri.startswith("https://example.org/a.mp4")
    assert "planted" not in f"{row}"


def test_an_answer_without_faces_needs_no_model(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    stand.room.outcome = Outcome.NO_FACE
    assert "no_face" in stand.extract(item)
    assert stand.row(item).outcome == "no_face"
    assert stand.rung == []


@pytest.mark.parametrize(
    ("kind", "duration_s", "coverage"),
    [("video", 10.0, 0.25), ("animation", None, None), ("picture", None, 0.25)],
)
def test_no_share_of_an_unknown_length(
    kind: Literal["video", "animation", "picture"], duration_s: float | None, coverage: float | None
) -> None:
    info = MediaInfo(
        kind=kind, width=64, height=64, container="x", codec="x", duration_s=duration_s
    )
    manifest = Manifest(media=info, spec_digest="0" * 64, size=112, persons=(), coverage=0.25)
    fetched = Fetched(final_uri="a", sha256="0" * 64, bytes_fetched=1)
    assert media_facts(manifest, fetched).coverage == coverage


def test_extract_only_ends_with_the_clips(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4", extract_only=True)
    assert "extracted" in stand.extract(item)
    assert stand.row(item).outcome == "extracted"


def test_trouble_in_fetching_waits_in_the_ledger_and_charges_nothing(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    stand.fetcher.trouble = TryAgain("the server is busy", after_s=120)
    with pytest.raises(Retry, match="the server is busy"):
        stand.extract(item)
    assert stand.row(item).stage == "waiting"
    assert "attempt" not in stand.notes(item)
    assert "nothing to do" in stand.extract(item), "it was tried again before its time"


def test_an_outage_of_the_store_is_no_fault_of_the_address(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")

    def full(self: FolderStore, key: str, data: bytes) -> StoredObject:
        raise TryAgain("the disk is full", after_s=0)

    monkeypatch.setattr(FolderStore, "put", full)
    with pytest.raises(Retry, match="the disk is full"):
        stand.extract(item)
    assert "try 1" not in stand.notes(item)
    assert "attempt" not in stand.notes(item)
    assert stand.row(item).stage == "waiting"


def test_our_own_fault_is_charged_with_its_error(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    stand.room.trouble = ZeroDivisionError("a bug of ours")
    with pytest.raises(Retry, match="a bug of ours"):
        stand.extract(item)
    assert "a bug of ours" in stand.notes(item)


def test_the_same_bytes_are_cut_once(stand: Stand) -> None:
    stand.fetcher.content = lambda _: b"the same bytes"
    first, second = stand.submit("https://example.org/a.mp4", "https://example.org/b.mp4")
    stand.extract(first)
    assert "used again" in stand.extract(second)
    assert stand.room.files == 1
    assert stand.rung == [first, second]
    assert stand.row(second).stage == "extracted"


def test_what_comes_too_late_changes_nothing(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4")
    theft: list[Claim | None] = []

    def steal(uri: str) -> bytes:
        stand.ledger.release_all("everything is given back while the first worker is frozen")
        stand.ledger.offer(window=100, lease_s=60)
        theft.append(stand.ledger.claim(item, stand.row(item).stage, owner="second", lease_s=60))
        return uri.encode()

    stand.fetcher.content = steal
    assert "too late" in stand.extract(item)
    assert theft[0] is not None
    assert stand.row(item).stage == "extracting"
    assert stand.rung == []


def test_what_could_not_be_stored_is_not_fetched_over_and_over(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back-pressure: the stage before a full store slows down, without a charge to anybody."""
    items = stand.submit(*(f"https://h{n}.example.org/{n}.mp4" for n in range(6)))
    asked: list[str] = []

    def content(uri: str) -> bytes:
        asked.append(uri)
        return uri.encode()

    stand.fetcher.content = content

    def full(self: FolderStore, key: str, data: bytes) -> StoredObject:
        raise OwnTrouble("object storage: no space left")

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "put", full)
        for item in items[:3]:
            with pytest.raises(Retry, match="no space left"):
                stand.extract(item)
    assert [rest.name for rest in stand.ledger.resting()] == ["object storage"]
    stand.ledger.forget_offers()
    assert stand.ledger.offer(window=100, lease_s=60) == []
    assert len(asked) == 3
    assert all("attempt" not in stand.notes(item) for item in items)


def test_how_a_host_did_is_told_to_the_fleet(stand: Stand) -> None:
    items = stand.submit(*(f"https://one.example.org/{n}.mp4" for n in range(5)))
    stand.extract(items[0])
    assert stand.ledger.resting() == ()
    stand.fetcher.trouble = TryAgain("the server answered 429", after_s=500)
    with pytest.raises(Retry, match="429"):
        stand.extract(items[1])
    (rest,) = stand.ledger.resting()
    assert (rest.name, rest.reason) == ("one.example.org", "the server answered 429")
    counted = stand.ledger.happened("stand")
    assert (counted[Happening.ANSWERED].times, counted[Happening.BUSY].times) == (1, 1)


def test_nobody_answering_is_told_from_an_answer(stand: Stand) -> None:
    items = stand.submit(*(f"https://h{n}.example.org/{n}.mp4" for n in range(3)))
    stand.fetcher.trouble = Unanswered("looking up h0.example.org failed")
    with pytest.raises(Retry):
        stand.extract(items[0])
    stand.fetcher.trouble = Refused(Outcome.UNREACHABLE, "there is no host named h1.example.org")
    stand.extract(items[1])
    stand.fetcher.trouble = Refused(Outcome.BLOCKED, "a private network")
    stand.extract(items[2])
    counted = stand.ledger.happened("stand")
    assert {what: one.times for what, one in counted.items() if one.times} == {
        Happening.SILENT: 1,
        Happening.ANSWERED: 1,
    }


def test_a_row_says_that_only_the_beginning_came(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4", first=True, extract_only=True)
    assert "extracted" in stand.extract(item)
    row = stand.row(item)
    assert (row.outcome, row.sha256, row.inherited_from) == ("extracted", None, None)
    assert row.fetched_part is not None
    assert row.fetched_part["ranges"] == [[0, 11]]
    assert (row.fetched_part["size"], row.fetched_part["validator"]) == (25, '"one"')
    assert row.bytes_fetched == 12
    assert row.notes == ["only what its beginning needs was fetched: 12 of 25 bytes"]
    keys = [listed.key for listed in stand.tools.store.list("clips/")]
    assert {key.split("/")[1] for key in keys} == {row.fetched_part["identity"]}


def test_what_comes_in_part_is_never_taken_for_known_content(stand: Stand) -> None:
    """Not even where address, version and bytes are the same: a stranger chose all three."""
    address = "https://example.org/a.mp4"
    for name in ("whole", "one", "two"):
        (item,) = stand.submit(address, name=name, first=name != "whole", extract_only=True)
        stand.extract(item)
    assert stand.room.files == 3
    rows = [stand.row(next(r.item for r in stand.ledger.results(n)), n) for n in ("one", "two")]
    assert [row.inherited_from for row in rows] == [None, None]
    identities = {row.fetched_part["identity"] for row in rows if row.fetched_part}
    assert len(identities) == 2


def test_a_rejected_part_is_told_too(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4", first=True)
    stand.room.trouble = Refused(Outcome.UNDECODABLE, "no frame can be decoded")
    assert "undecodable" in stand.extract(item)
    row = stand.row(item)
    assert row.sha256 is None
    assert row.fetched_part is not None


def test_what_does_not_come_in_parts_comes_whole(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4", first=True, extract_only=True)
    stand.room.lost = NotInParts("the file is another by now", received=12)
    assert "extracted" in stand.extract(item)
    row = stand.row(item)
    assert row.sha256 == hashlib.sha256(b"https://example.org/a.mp4").hexdigest()
    assert (row.fetched_part, row.notes, row.bytes_fetched) == (None, [], 12 + 25)


def test_erasing_a_part_erases_its_clips_and_marks_its_rescan(stand: Stand) -> None:
    (item,) = stand.submit("https://example.org/a.mp4", first=True, extract_only=True)
    stand.extract(item)
    options = dataclasses.replace(stand.ledger.campaign("stand").options, name="again")
    again = stand.ledger.open_campaign(options)
    assert stand.ledger.rescan_plan("stand", options).clips.items == 1
    stand.ledger.rescan("stand", again)
    (heir,) = [row.item for row in stand.ledger.results("again")]
    erased = stand.ledger.erase(item)
    assert len(erased.objects) == 2
    assert stand.ledger.rescan_plan("again", options).clips.items == 0
    assert heir != item


def test_a_redirect_to_a_busy_host_waits_and_costs_no_try(stand: Stand) -> None:
    away = "https://cdn.example/a.mp4"
    first, second = stand.submit("https://one.example/a", "https://two.example/a")
    stand.ledger.offer(window=100, lease_s=60)
    holding = [stand.ledger.claim(first, Stage.WAITING, owner="other", lease_s=60)]
    assert holding[0] is not None
    limit = stand.tools.settings.host_connections
    others = stand.submit(*(f"https://{n}.example/b" for n in range(limit)), name="others")
    stand.ledger.offer(window=100, lease_s=60)
    for item in others:
        claim = stand.ledger.claim(item, Stage.WAITING, owner="other", lease_s=60)
        assert claim is not None
        assert stand.ledger.led(claim, away).wait_s == 0
    stand.fetcher.away = away
    with pytest.raises(Retry, match="visited enough"):
        stand.extract(second)
    assert stand.room.files == 0
    assert "try 1" not in stand.notes(second)
    assert stand.row(second).stage == "waiting"


def test_who_is_led_on_and_never_finds_room_ends_unreachable(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = stand.submit("https://one.example/a")
    stand.fetcher.away = "https://cdn.example/a.mp4"
    spent = Led(wait_s=1.0, spent=True)
    monkeypatch.setattr(stand.tools.ledger, "led", lambda *_, **__: spent)
    assert stand.extract(item).startswith("unreachable: redirected to cdn.example")
    assert stand.row(item).outcome == "unreachable"


def test_the_ledger_is_told_from_where_an_item_is_led_on(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = stand.submit("https://one.example/a")
    claim = stand.ledger.claim(item, Stage.WAITING, owner="worker", lease_s=60)
    assert claim is not None
    asked: list[tuple[str, str]] = []

    def led(_claim: Claim, uri: str, *, at: str) -> Led:
        asked.append((at, uri))
        return Led()

    monkeypatch.setattr(stand.tools.ledger, "led", led)
    visit = Visit(claim, stand.tools, claim.uri)
    for uri in ("https://one.example/b", "https://www.example/c", "https://cdn.example/d"):
        visit.follow(uri)
    assert asked == [
        ("https://one.example/b", "https://www.example/c"),
        ("https://www.example/c", "https://cdn.example/d"),
    ]


def test_a_lost_lease_ends_the_visit(stand: Stand) -> None:
    """Who has the item by then visits the same host: this would be a connection too many."""
    (item,) = stand.submit("https://slow.example/a.mp4")
    ours, theirs = socket.socketpair()
    often = stand.tools.settings.model_copy(update={"heartbeat_s": 0.0})
    tools = dataclasses.replace(stand.tools, settings=often)
    vars(tools)["room"] = stand.room

    def steal(uri: str) -> bytes:
        stand.ledger.release_all("its worker was frozen")
        ours.settimeout(20)
        try:
            return ours.recv(1)
        except TimeoutError:
            pytest.fail("it went on waiting")

    stand.fetcher.content = steal
    stand.ledger.offer(window=100, lease_s=60)
    with ours, theirs:
        assert "too late" in extract_item(item, tools, lambda _: None)
    assert stand.room.files == 0
    assert stand.ledger.happened("stand")[Happening.SILENT].times == 0
