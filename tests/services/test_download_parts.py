"""The first ten seconds of five minutes: only what they need is fetched, or all of it, cleanly."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import settings
from infra.download import Content, DownloadLimits, Fetcher, NotInParts
from infra.guard import Guard
from infra.ledger import migrate
from infra.resources import build
from infra.sandbox import Room
from producer.campaigns import Wanted, choose
from schemas.records import NewItem, Trust
from tasks.extract import extract_item
from tests.services.long_film import FORMS, FRAMES, long_film
from tests.services.strangers import MIB, Stranger, Visit, head, stranger
from unmask.errors import Refused
from unmask.media.values import Clip, Limits, Manifest
from unmask.model.shelf import find_bundle
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

SPEC = ScanSpec(
    moments="first", windows=1, frames=FRAMES, spacing_s=None, detector_px=320, min_face_px=16
)
LIMITS = Limits(deadline_s=60)
TAG = '"version-1"'
ANSWER = re.compile(rb"^Range: bytes=(\d+)-(\d+)\r$", re.MULTILINE)
IF_RANGE = re.compile(rb"^If-Range: (.*)\r$", re.MULTILINE)


def honest(ranges: "Ranges", visit: Visit, first: int, last: int) -> None:
    visit.answer(
        "206 Partial Content",
        ranges.data[first : last + 1],
        Content_Range=f"bytes {first}-{last}/{len(ranges.data)}",
        **ranges.headers,
    )


@dataclass
class Ranges:
    """A server that gives ranges, as it is told to."""

    data: bytes
    fields: dict[str, str] = field(default_factory=lambda: {"ETag": TAG})
    #: Called before each answer after the first: it may change the server.
    later: Callable[["Ranges"], None] = lambda _: None
    #: What an answer to a range looks like.
    give: Callable[["Ranges", Visit, int, int], None] = honest
    asked: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, visit: Visit) -> None:
        request = visit.stranger.requests[-1]
        if self.asked:
            self.later(self)
        found = ANSWER.search(request)
        told = IF_RANGE.search(request)
        known = {value.encode() for value in self.fields.values()}
        if found is None or (told is not None and told[1] not in known):
            visit.answer(body=self.data, **self.headers)
            return
        first, last = int(found[1]), min(int(found[2]), len(self.data) - 1)
        self.asked.append((first, last))
        self.give(self, visit, first, last)

    @property
    def headers(self) -> dict[str, str]:
        return {name.replace("-", "_"): value for name, value in self.fields.items()}


@dataclass
class Net:
    server: Stranger
    behave: dict[str, Callable[[Visit], None]]
    fetcher: Fetcher

    def serve(self, ranges: Callable[[Visit], None]) -> str:
        self.behave["/film"] = ranges
        return self.server.url("/film")


@pytest.fixture
def net() -> Iterator[Net]:
    with stranger() as (server, extra):
        guard = Guard(
            allow_networks=["127.0.0.1/32"],
            ports=(server.port,),
            resolver=lambda _host, _port: ["127.0.0.1"],
        )
        limits = DownloadLimits(max_bytes=64 * MIB, deadline_s=20, idle_s=5)
        yield Net(server, extra, Fetcher(guard=guard, limits=limits))


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with Room() as one:
        yield one


def look(room: Room, content: Content) -> list[Clip | Manifest]:
    return list(room.extract(content.file, SPEC, LIMITS, content.parts))


@pytest.mark.parametrize("form", FORMS)
def test_the_beginning_costs_a_twentieth_and_a_megabyte_and_gives_the_same(
    net: Net, room: Room, form: str
) -> None:
    film = long_film(form)
    ranges = Ranges(film)
    with net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        assert content.parts is not None
        found = look(room, content)
        facts = content.facts("item 1")
    assert net.server.sent <= len(film) / 20 + MIB
    assert facts.part is not None
    assert facts.part.ranges[0][0] == 0
    assert (facts.part.size, facts.part.validator) == (len(film), TAG)
    came = sum(last + 1 - first for first, last in facts.part.ranges)
    assert facts.bytes_fetched == came == sum(last + 1 - first for first, last in ranges.asked)
    assert facts.sha256 != hashlib.sha256(film).hexdigest()
    with net.fetcher.fetch(net.serve(ranges), Trust.REMOTE) as content:
        assert content.fetched.sha256 == hashlib.sha256(film).hexdigest()
        *clips, manifest = look(room, content)
    if "fragments" in form:  # how long they are together is only known at their end
        assert isinstance(manifest, Manifest)
        media = dataclasses.replace(manifest.media, duration_s=None)
        manifest = dataclasses.replace(manifest, media=media, coverage=0.0)
    assert found == [*clips, manifest]
    assert clips


def test_what_is_read_to_its_end_comes_whole_in_few_requests(net: Net) -> None:
    film = long_film("mkv")
    ranges = Ranges(film)
    with net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        parts = content.parts
        assert parts is not None
        place = 0
        while place < len(film):
            part = parts.fill(place)
            assert part is not None
            place = part[1]
        facts = content.facts("item 1")
        assert content.file.read() == film
    assert (facts.sha256, facts.part) == (hashlib.sha256(film).hexdigest(), None)
    assert facts.bytes_fetched == len(film)
    assert len(ranges.asked) < 50


def test_a_small_file_comes_whole(net: Net) -> None:
    film = long_film("mkv")[:MIB]
    with net.fetcher.fetch_beginning(net.serve(Ranges(film)), Trust.REMOTE) as content:
        assert content.parts is None
        assert content.fetched.sha256 == hashlib.sha256(film).hexdigest()
        assert content.fetched.bytes_fetched == MIB
        assert content.file.read() == film


def no_ranges(ranges: Ranges, visit: Visit, *_: int) -> None:
    visit.answer(body=ranges.data)


def elsewhere(ranges: Ranges, visit: Visit, *_: int) -> None:
    honest(ranges, visit, 1000, 1999)


def longer_than_asked(ranges: Ranges, visit: Visit, *_: int) -> None:
    honest(ranges, visit, 0, len(ranges.data) - 1)


def unlike_its_length(ranges: Ranges, visit: Visit, *_: int) -> None:
    told = {"Content-Range": f"bytes 0-99/{len(ranges.data)}", "ETag": TAG}
    visit.send(head("206 Partial Content", told) + ranges.data[: 2 * MIB])


def many_ranges(ranges: Ranges, visit: Visit, *_: int) -> None:
    kind = "multipart/byteranges; boundary=x"
    visit.answer("206 Partial Content", b"--x\r\n", Content_Type=kind, ETag=TAG)


def of_unknown_size(ranges: Ranges, visit: Visit, *_: int) -> None:
    visit.answer("206 Partial Content", ranges.data[:100], Content_Range="bytes 0-99/*", ETag=TAG)


def compressed(ranges: Ranges, visit: Visit, *_: int) -> None:
    visit.answer(
        "206 Partial Content",
        ranges.data[:100],
        Content_Range=f"bytes 0-99/{len(ranges.data)}",
        Content_Encoding="gzip",
        ETag=TAG,
    )


def not_satisfiable(ranges: Ranges, visit: Visit, *_: int) -> None:
    visit.answer("416 Range Not Satisfiable", b"")


@pytest.mark.parametrize(
    "lie",
    [
        no_ranges,
        elsewhere,
        longer_than_asked,
        unlike_its_length,
        many_ranges,
        of_unknown_size,
        compressed,
        not_satisfiable,
    ],
)
def test_a_server_that_gives_no_honest_range_gives_the_whole(
    net: Net, lie: Callable[[Ranges, Visit, int, int], None]
) -> None:
    film = long_film("mkv")
    ranges = Ranges(film, give=lie)
    with net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        assert content.parts is None
        assert content.fetched.sha256 == hashlib.sha256(film).hexdigest()
        assert content.fetched.bytes_fetched <= len(film) + MIB


@pytest.mark.parametrize("fields", [{}, {"ETag": 'W/"weak"'}, {"ETag": '"x\x01"'}])
def test_without_a_strong_validator_no_parts_are_put_together(
    net: Net, fields: dict[str, str]
) -> None:
    film = long_film("mkv")
    with net.fetcher.fetch_beginning(net.serve(Ranges(film, fields)), Trust.REMOTE) as content:
        assert content.parts is None
        assert content.file.read() == film


def test_a_date_is_a_validator_too(net: Net) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    ranges = Ranges(long_film("mkv"), {"Last-Modified": date})
    with net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        assert content.parts is not None
        assert content.parts.fill(3 * MIB)
        assert content.parts.validator == date
    assert f"If-Range: {date}".encode() in net.server.requests[-1]


def another_version(ranges: Ranges) -> None:
    ranges.fields = {"ETag": '"version-2"'}


def another_size(ranges: Ranges) -> None:
    ranges.data = ranges.data[:-1]


def another_version_unasked(ranges: Ranges) -> None:
    """It ignores If-Range, and says so only in its tag."""
    ranges.fields = {"ETag": '"version-2"', "X-Old": TAG}


def empty_handed(ranges: Ranges) -> None:
    """It promises a range, and closes the connection."""
    ranges.give = lambda ranges, visit, first, last: visit.send(
        head(
            "206 Partial Content",
            {"Content-Range": f"bytes {first}-{last}/{len(ranges.data)}", "ETag": TAG},
        )
    )


@pytest.mark.parametrize(
    "change", [another_version, another_size, another_version_unasked, empty_handed]
)
def test_a_file_that_changes_meanwhile_is_never_put_together(
    net: Net, room: Room, change: Callable[[Ranges], None]
) -> None:
    """The reader gets no byte of the second version, and the worker begins anew."""
    ranges = Ranges(long_film("mp4, index at the end"), later=change)
    keeper = room.start()
    with net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        with pytest.raises(NotInParts) as caught:
            look(room, content)
        assert content.parts is not None
        assert len(content.parts.held) == 1
    assert caught.value.received >= 512 << 10
    assert room.start() is keeper, "the room goes on with the next file"
    rest = net.fetcher.after(caught.value)
    assert rest.limits.max_bytes == net.fetcher.limits.max_bytes - caught.value.received


def test_a_file_over_the_limit_is_refused_by_what_its_first_range_says(net: Net) -> None:
    ranges = Ranges(bytes(65 * MIB))
    with (
        pytest.raises(Refused) as caught,
        net.fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE),
    ):
        pass
    assert caught.value.outcome is Outcome.TOO_LARGE
    assert net.server.sent <= MIB


def test_the_deadline_covers_all_parts_together(net: Net) -> None:
    def slow(ranges: Ranges) -> None:
        ranges.give = lambda _, visit, *__: visit.wait(30)

    ranges = Ranges(long_film("mkv"), later=slow)
    limits = DownloadLimits(max_bytes=64 * MIB, deadline_s=1)
    fetcher = Fetcher(guard=net.fetcher.guard, limits=limits)
    with fetcher.fetch_beginning(net.serve(ranges), Trust.REMOTE) as content:
        assert content.parts is not None
        assert content.parts.fill(3 * MIB) is None
        trouble = content.parts.trouble
    assert isinstance(trouble, Refused)
    assert trouble.outcome is Outcome.TIMED_OUT


def test_a_name_that_leads_inside_by_the_second_part_is_blocked(net: Net) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    guard = Guard(
        allow_networks=["127.0.0.1/32"],
        ports=(net.server.port,),
        resolver=lambda _host, _port: next(answers),
    )
    fetcher = Fetcher(guard=guard, limits=net.fetcher.limits)
    url = net.serve(Ranges(long_film("mkv")))
    with fetcher.fetch_beginning(url, Trust.REMOTE) as content:
        assert content.parts is not None
        assert content.parts.fill(3 * MIB) is None
        trouble = content.parts.trouble
    assert isinstance(trouble, Refused)
    assert trouble.outcome is Outcome.BLOCKED
    assert len(net.server.requests) == 1


def test_a_campaign_of_the_first_frames_pays_for_them_only(net: Net, tmp_path: Path) -> None:
    """By the same code as in a fleet: real fetcher, real room, real ledger."""
    film = long_film("mp4, index at the end")
    net.serve(Ranges(film))
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    tools = build(
        settings.load(
            database_url=address,
            store_url=str(tmp_path / "objects"),
            download_allow_networks=["127.0.0.1/32"],
            download_ports=[net.server.port],
        )
    )
    options = choose(
        Wanted(extract_only=True, first=True, frames=20),
        name="one",
        media="-",
        shelf=find_bundle("lite").folder.parent,
        device="cpu",
    )
    campaign = tools.ledger.open_campaign(options)
    uri = net.server.url("/film", host="127.0.0.1")
    tools.ledger.submit(campaign, [NewItem(uri=uri, trust=Trust.REMOTE)])
    try:
        (offer,) = tools.ledger.offer(window=10, lease_s=60)
        extract_item(offer.item, tools, lambda _: None)
        (row,) = tools.ledger.results("one")
    finally:
        tools.room.close()
        tools.ledger.close()
    assert (row.outcome, row.sha256) == (Outcome.EXTRACTED, None)
    assert row.fetched_part is not None
    assert row.fetched_part["size"] == len(film)
    assert row.duration_s == pytest.approx(300, abs=1)
    assert row.bytes_fetched <= len(film) / 20 + MIB
    assert net.server.sent <= len(film) / 20 + MIB
    assert "only what its beginning needs was fetched" in row.notes[-1]
