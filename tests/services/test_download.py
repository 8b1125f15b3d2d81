"""Fetching from servers that mean ill: bounded, timed, typed, and never led inside."""

import hashlib
import os
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.addresses import read_address
from infra.download import DownloadLimits, Fetcher
from infra.download.connection import is_this_machine
from infra.guard import Guard
from schemas.records import Trust
from tests.polling import until
from tests.services.strangers import (
    BEHAVIOURS,
    MEDIA,
    MIB,
    Behaviour,
    Stranger,
    bomb,
    stranger,
    to,
)
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

#: Names and where they lead; only 127.0.0.1 is opened by the guard of these tests.
NAMES = {
    "media.example.com": ["127.0.0.1"],
    "inside.example.com": ["127.0.0.2"],
    "mixed.example.com": ["127.0.0.1", "127.0.0.2"],
}


@dataclass
class Web:
    server: Stranger
    extra: dict[str, Behaviour]
    canary: Stranger
    fetcher: Fetcher

    def get(self, path: str, host: str = "media.example.com") -> bytes:
        with self.fetcher.fetch(self.server.url(path, host), Trust.REMOTE) as content:
            data = content.file.read()
            assert content.fetched.sha256 == hashlib.sha256(data).hexdigest()
            assert content.fetched.bytes_fetched == len(data)
            return data

    def refused(self, path: str, host: str = "media.example.com") -> Refused:
        with pytest.raises(Refused) as caught:
            self.get(path, host)
        return caught.value


def limits(**changes: Any) -> DownloadLimits:
    chosen: dict[str, Any] = {"max_bytes": MIB, "deadline_s": 10, "idle_s": 5} | changes
    return DownloadLimits(**chosen)


@pytest.fixture
def web() -> Iterator[Web]:
    with stranger() as (server, extra), stranger("127.0.0.2", server.port) as (canary, _):
        guard = Guard(
            allow_networks=["127.0.0.1/32"],
            ports=(server.port,),
            resolver=lambda host, _port: NAMES[host],
        )
        yield Web(server, extra, canary, Fetcher(guard=guard, limits=limits()))
        assert canary.requests == []


def within(web: Web, **changes: float) -> Web:
    fetcher = Fetcher(guard=web.fetcher.guard, limits=limits(**changes))
    return Web(web.server, web.extra, web.canary, fetcher)


# --- the good ones ---


@pytest.mark.parametrize(
    "path", ["/media", "/html-type", "/gzip", "/deflate", "/http-1.0", "/early-hints", "/mars"]
)
def test_media_comes_whole_whatever_the_server_wraps_around_it(web: Web, path: str) -> None:
    assert web.get(path) == MEDIA


def test_chunks_are_joined(web: Web) -> None:
    assert web.get("/chunked") == b"hello world"


def test_more_than_declared_is_cut_where_it_was_declared(web: Web) -> None:
    assert web.get("/too-long") == MEDIA[:-7]


def test_the_file_is_for_reading_only_and_has_no_name(web: Web, tmp_path: Path) -> None:
    fetcher = Fetcher(guard=web.fetcher.guard, limits=limits(), temp_dir=tmp_path)
    with fetcher.fetch(web.server.url("/media"), Trust.REMOTE) as content:
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(content.file.fileno(), b"x")
        file = content.file
    assert file.closed


def test_the_request_is_plain_and_carries_nothing_of_ours(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{web.server.port}")
    request = web.get("/echo?q=1").decode()
    assert request.startswith("GET /echo?q=1 HTTP/1.1\r\n")
    assert f"Host: media.example.com:{web.server.port}\r\n" in request
    assert "Accept-Encoding: identity\r\n" in request
    for absent in ("authorization", "cookie", "referer", "proxy"):
        assert absent not in request.lower()


def test_no_cookie_is_carried_over_a_redirect(web: Web) -> None:
    assert b"secret" not in web.get("/cookie")


# --- redirects ---


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects_are_followed_and_the_final_address_is_told(web: Web, status: int) -> None:
    web.extra["/away"] = to("/media?x=1#part", f"{status} Elsewhere")
    with web.fetcher.fetch(web.server.url("/away"), Trust.REMOTE) as content:
        assert content.fetched.final_uri == web.server.url("/media?x=1")


def test_whoever_counts_visits_is_told_before_a_redirect_is_followed(web: Web) -> None:
    told: list[str] = []
    web.extra["/away"] = to(f"http://media.example.com:{web.server.port}/hop/1")
    fetcher = web.fetcher.telling(told.append)
    with fetcher.fetch(web.server.url("/away"), Trust.REMOTE):
        assert told == [web.server.url(f"/{one}") for one in ("hop/1", "hop/0", "media")]


def test_a_redirect_that_may_not_be_followed_yet_is_not(web: Web) -> None:
    def not_yet(_: str) -> None:
        raise TryAgain("visited enough for now")

    web.extra["/away"] = to("/media")
    fetcher = web.fetcher.telling(not_yet)
    with (
        pytest.raises(TryAgain, match="enough"),
        fetcher.fetch(web.server.url("/away"), Trust.REMOTE),
    ):
        pass
    assert len(web.server.requests) == 1


def test_redirects_are_bounded(web: Web) -> None:
    assert web.get("/hop/9") == MEDIA
    assert web.refused("/hop/10").outcome is Outcome.UNREACHABLE
    assert web.refused("/loop").outcome is Outcome.UNREACHABLE
    assert len(web.server.requests) == 11 + 11 + 11


def test_a_bomb_on_a_redirect_is_not_even_read(web: Web) -> None:
    assert web.get("/bomb-on-redirect") == MEDIA


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/media",
        "http://inside.example.com:{port}/media",
        "http://mixed.example.com:{port}/media",
        "//127.0.0.2:{port}/media",
        "http://localhost:{port}/media",
        "http://2130706434:{port}/media",
        "http://0x7f.2:{port}/media",
        "http://[::ffff:127.0.0.2]:{port}/media",
        "http://media.example.com:6379/",
        "http://media.example.com:22/",
        "http://user:pass@media.example.com:{port}/media",
        "file:///etc/passwd",
        "ftp://media.example.com:{port}/media",
        "data:text/plain,hello",
        "gopher://127.0.0.2:{port}/x",
        "http:\\\\127.0.0.2:{port}\\media",
        "http://media.example.com:{port}\\@127.0.0.2/",
        "http://169.254.169.254/latest/meta-data/",
        "\\\\127.0.0.2:{port}\\media",
        "http://127\u30020\u30020\u30022:{port}/media",
        "http://127.0.0.2.:{port}/media",
        "http://127.0.0.2%00.example.com:{port}/media",
        "http://media.example.com:{port}@127.0.0.2:{port}/media",
        "http://[::1]:{port}/media",
        "http://[::127.0.0.2]:{port}/media",
    ],
)
@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_no_redirect_leads_inside(web: Web, target: str, status: int) -> None:
    web.extra["/away"] = to(target.format(port=web.server.port), f"{status} Elsewhere")
    assert web.refused("/away").outcome is Outcome.BLOCKED
    assert len(web.server.requests) == 1
    assert web.canary.requests == []


def test_a_redirect_without_a_target_is_unreachable(web: Web) -> None:
    assert web.refused("/no-target").outcome is Outcome.UNREACHABLE


def test_a_name_that_leads_inside_is_never_connected_to(web: Web) -> None:
    for host in ("inside.example.com", "mixed.example.com"):
        assert web.refused("/media", host).outcome is Outcome.BLOCKED
    assert web.server.requests == []


def test_an_answer_that_changes_between_look_ups_does_not_matter(web: Web) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    guard = Guard(
        allow_networks=["127.0.0.1/32"],
        ports=(web.server.port,),
        resolver=lambda _host, _port: next(answers),
    )
    rebound = Web(web.server, web.extra, web.canary, Fetcher(guard=guard, limits=limits()))
    assert rebound.get("/media", "rebind.example.com") == MEDIA
    assert rebound.refused("/media", "rebind.example.com").outcome is Outcome.BLOCKED


def test_this_machine_is_known_by_its_own_addresses() -> None:
    assert is_this_machine(read_address("127.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return
        assert is_this_machine(read_address(probe.getsockname()[0]))
        assert not is_this_machine(read_address("192.0.2.1"))


def test_a_connection_that_ends_elsewhere_is_dropped_before_anything_is_said(web: Web) -> None:
    """The kernel takes 0.0.0.0 for this machine: allowed as written, and another at the far end."""
    guard = Guard(
        allow_networks=["0.0.0.0/32"],
        ports=(web.server.port,),
        resolver=lambda _host, _port: ["0.0.0.0"],
    )
    astray = Web(web.server, web.extra, web.canary, Fetcher(guard=guard, limits=limits()))
    found = astray.refused("/plain")
    assert found.outcome is Outcome.BLOCKED
    assert found.reason == "connected to 127.0.0.1 in place of 0.0.0.0"
    until(lambda: web.server.requests == [b""], within_s=10)


# --- too much ---


@pytest.mark.parametrize("path", ["/endless", "/endless-hints", "/chunk-words", "/fat/9"])
def test_what_has_no_end_is_cut_at_the_limit(web: Web, path: str) -> None:
    """Whether it is the body, what stands around it, or what comes before it."""
    assert web.refused(path).outcome is Outcome.TOO_LARGE
    assert web.server.sent <= MIB + (64 << 10)


def test_what_stands_behind_redirects_counts_too(web: Web) -> None:
    """Each connection's own end keeps a little that was never sent."""
    hops, kept = 5, 16 << 10
    assert web.refused(f"/talkative-hop/{hops}").outcome is Outcome.TOO_LARGE
    assert web.server.sent <= MIB + (64 << 10) + hops * kept


def test_a_declared_size_over_the_limit_is_not_read(web: Web) -> None:
    found = web.refused("/declared-huge")
    assert found.outcome is Outcome.TOO_LARGE
    assert str(1 << 40) in found.reason


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(web: Web) -> None:
    assert within(web, max_bytes=len(MEDIA)).get("/media") == MEDIA
    small = within(web, max_bytes=len(MEDIA) - 1)
    assert small.refused("/media").outcome is Outcome.TOO_LARGE
    assert small.refused("/http-1.0").outcome is Outcome.TOO_LARGE


def test_a_bomb_is_cut_at_the_limit_and_costs_little_memory(web: Web) -> None:
    tracemalloc.start()
    try:
        assert web.refused("/gzip-bomb").outcome is Outcome.TOO_LARGE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 70 * MIB  # the server of this test makes 64 MiB of zeros itself


@pytest.mark.parametrize("path", ["/gzip-twice", "/brotli"])
def test_an_encoding_that_was_not_asked_for_is_refused(web: Web, path: str) -> None:
    assert web.refused(path).outcome is Outcome.NOT_MEDIA


def test_an_empty_body_is_not_media(web: Web) -> None:
    assert web.refused("/empty").outcome is Outcome.NOT_MEDIA


# --- too slow ---


@pytest.mark.parametrize("path", ["/drip-body", "/drip-head", "/silent", "/silent-in-body"])
def test_the_deadline_holds_however_the_server_dawdles(web: Web, path: str) -> None:
    started = time.monotonic()
    found = within(web, deadline_s=0.7).refused(path)
    assert found.outcome is Outcome.TIMED_OUT
    assert time.monotonic() - started < 1.7


@pytest.mark.parametrize("path", ["/silent", "/silent-in-body"])
def test_a_silent_server_is_asked_again_later(web: Web, path: str) -> None:
    with pytest.raises(TryAgain, match="silent"):
        within(web, idle_s=0.3).get(path)


def test_a_slow_resolver_is_bounded_too(web: Web) -> None:
    gate = threading.Event()

    def slow(_host: str, _port: int) -> list[str]:
        gate.wait(30)
        return ["127.0.0.1"]

    guard = Guard(ports=(web.server.port,), resolver=slow)
    fetcher = Fetcher(guard=guard, limits=limits(deadline_s=0.5))
    started = time.monotonic()
    try:
        with (
            pytest.raises(Refused) as caught,
            fetcher.fetch(web.server.url("/media"), Trust.REMOTE),
        ):
            pass
        assert caught.value.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - started < 1.5
    finally:
        gate.set()


# --- broken ---


@pytest.mark.parametrize(
    "path",
    [
        "/too-short",
        "/reset",
        "/length-lies",
        "/length-twice",
        "/length-words",
        "/gzip-broken",
        "/gzip-short",
        "/chunked-short",
        "/chunked-garbage",
        "/chunked-huge",
        "/http-0.9",
        "/garbage",
        "/nothing",
        "/evil-head",
        "/endless-head",
        "/upgrade",
    ],
)
def test_a_server_that_breaks_off_or_talks_nonsense_is_asked_again_later(
    web: Web, path: str
) -> None:
    with pytest.raises(TryAgain) as caught:
        web.get(path)
    assert caught.value.reason


@pytest.mark.parametrize("path", ["/parrot", "/header-parrot", "/chunk-parrot"])
def test_a_server_that_says_our_request_back_is_not_quoted(web: Web, path: str) -> None:
    """Reasons are read in logs, in Flower and in results; the request may be signed."""
    with pytest.raises((TryAgain, Refused)) as caught:
        web.get(f"{path}?token=hush-hush")
    assert str(caught.value)
    assert "hush" not in str(caught.value)


def test_nobody_listening_is_tried_again(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    guard = Guard(
        allow_networks=["127.0.0.1/32"], ports=(port,), resolver=lambda _host, _port: ["127.0.0.1"]
    )
    fetcher = Fetcher(guard=guard, limits=limits())
    with (
        pytest.raises(TryAgain, match="no connection to media"),
        fetcher.fetch(f"http://media.example.com:{port}/", Trust.REMOTE),
    ):
        pass


# --- statuses ---


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416,
               418, 421, 422, 423, 424, 426, 428, 431, 451, 501, 505, 299]
)  # fmt: skip
def test_a_lasting_status_ends_the_item_at_once(web: Web, status: int) -> None:
    web.extra["/x"] = lambda visit: visit.answer(f"{status} Sorry")
    found = web.refused("/x")
    assert found.outcome is Outcome.UNREACHABLE
    assert str(status) in found.reason


@pytest.mark.parametrize("path", ["/partial", "/no-content", "/unchanged"])
def test_an_answer_to_another_question_is_unreachable(web: Web, path: str) -> None:
    assert web.refused(path).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 508, 520, 599])
def test_a_passing_status_is_tried_again(web: Web, status: int) -> None:
    web.extra["/x"] = lambda visit: visit.answer(f"{status} Later")
    with pytest.raises(TryAgain, match=str(status)):
        web.get("/x")


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("17", 17, 17), ("0", 0, 0), ("99999999999", 86400, 86400), ("-5", None, None),
     ("soon", None, None), ("1e400", None, None), ("٣", 3, 3), ("", None, None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400, 86400)],
)  # fmt: skip
def test_retry_after_is_read_and_bounded(
    web: Web, value: str, low: float | None, high: float | None
) -> None:
    answer = f"HTTP/1.1 429 Later\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
    web.extra["/x"] = lambda visit: visit.send(answer)
    with pytest.raises(TryAgain) as caught:
        web.get("/x")
    after = caught.value.after_s
    if low is None or high is None:
        assert after is None
    else:
        assert after is not None
        assert low <= after <= high


# --- what is not for strangers ---


@pytest.mark.parametrize(
    "uri",
    ["/etc/passwd", "file:///etc/passwd", "FILE:///etc/passwd", "etc/passwd", "file:x", "~/x"],
)
def test_files_are_not_for_strangers(web: Web, uri: str) -> None:
    with pytest.raises(Refused) as caught, web.fetcher.fetch(uri, Trust.REMOTE):
        pass
    assert caught.value.outcome is Outcome.BLOCKED


def peak_memory(process: psutil.Process) -> int:
    """The most that it held at once since `forget_peak`."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return int(line) << 10


def forget_peak(process: psutil.Process) -> None:
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


#: Those that take a number are asked for with one.
NUMBERED = {"/hop": "/hop/100", "/fat": "/fat/9", "/talkative-hop": "/talkative-hop/3"}
ALL = sorted(NUMBERED.get(path, path) for path in BEHAVIOURS)


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("how", ["fetch", "fetch_beginning"])
def test_no_behaviour_costs_more_bytes_memory_or_time_than_allowed(
    web: Web, path: str, how: str
) -> None:
    bomb()  # made by now, so that it is not counted
    quick, process = within(web, max_bytes=MIB, deadline_s=0.7), psutil.Process()
    forget_peak(process)
    before, started = process.memory_info().rss, time.monotonic()
    fetch = getattr(quick.fetcher, how)
    with suppress(Refused, TryAgain), fetch(web.server.url(path), Trust.REMOTE) as content:
        assert content.fetched.bytes_fetched <= MIB
    assert time.monotonic() - started < 1.7
    assert web.server.sent <= MIB + (64 << 10)
    assert peak_memory(process) - before < 64 * MIB


def open_handles() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_every_behaviour_is_typed_and_leaves_no_handle_open(web: Web) -> None:
    quick = within(web, deadline_s=0.5)
    before = open_handles()
    for path in ALL:
        with suppress(Refused, TryAgain):
            quick.get(path)
    web.server.stopping.set()
    until(lambda: open_handles() <= before, 5)
