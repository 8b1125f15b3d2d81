"""The guarded HTTP client: one GET, its redirects looked at one by one, no proxy, no cookie."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import httpcore
import httpx

from infra.download.body import bounded, decoded, write_hashed
from infra.download.connection import PinnedNetwork, verified_tls
from infra.download.limits import Deadline, DownloadLimits, Wire, too_large
from infra.download.lookup import pin
from infra.download.ranges import Headers
from infra.download.statuses import REDIRECTS, check_status, header
from infra.guard import Guard
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

#: Compression is not asked for: media does not get smaller, and bombs come in it.
HEADERS = (
    (b"User-Agent", b"unmask/1 (media scanner)"),
    (b"Accept", b"video/*, image/*, */*;q=0.1"),
    (b"Accept-Encoding", b"identity"),
    (b"Connection", b"close"),
)


Follow = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    final_uri: str
    sha256: str
    #: Size of the content.
    bytes: int
    #: Over the wire, where that was more.
    received: int = 0


@dataclass(frozen=True, kw_only=True)
class Web:
    """What every request for one file needs."""

    guard: Guard
    limits: DownloadLimits
    wire: Wire
    tls: ssl.SSLContext | None = None
    #: Told of each address that a redirect leads to, before it is visited; may raise.
    follow: Follow = lambda _: None


def download(uri: str, into: BinaryIO, web: Web) -> Downloaded:
    """Fetch `uri` into a file."""
    deadline = Deadline(web.limits.deadline_s)
    with final_answer(web.guard.parse(uri), web, deadline) as (url, answer):
        return receive(url, answer, into, web.limits.max_bytes)


@contextmanager
def final_answer(
    url: httpx.URL, web: Web, deadline: Deadline, more: Headers = ()
) -> Iterator[tuple[httpx.URL, httpcore.Response]]:
    """Behind all redirects, each of which is looked at like an address of its own."""
    for _ in range(web.limits.max_redirects + 1):
        with one_answer(url, web, deadline, more) as answer:
            if answer.status not in REDIRECTS:
                yield url, answer
                return
            url = _next(url, answer, web.guard)
        web.follow(str(url))
    raise Refused(Outcome.UNREACHABLE, f"more than {web.limits.max_redirects} redirects")


@contextmanager
def one_answer(
    url: httpx.URL, web: Web, deadline: Deadline, more: Headers = ()
) -> Iterator[httpcore.Response]:
    pinned = pin(web.guard, url, deadline)
    network = PinnedNetwork(pinned, web.guard, deadline, web.limits, web.wire)
    tls = web.tls or verified_tls()
    raw = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    headers = ((b"Host", url.netloc), *HEADERS, *more)
    with (
        _explained(),
        httpcore.ConnectionPool(ssl_context=tls, network_backend=network) as pool,
        pool.stream("GET", raw, headers=headers) as answer,
    ):
        yield answer


def receive(url: httpx.URL, answer: httpcore.Response, into: BinaryIO, limit: int) -> Downloaded:
    """The whole content."""
    check_status(answer.status, header(answer, b"retry-after"))
    declared = header(answer, b"content-length") or ""
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(declared, limit)
    wire = bounded(answer.iter_stream(), limit)
    content = bounded(decoded(wire, header(answer, b"content-encoding") or ""), limit)
    sha256, size = write_hashed(content, into)
    if not size:
        raise Refused(Outcome.NOT_MEDIA, "the server sent an empty body")
    return Downloaded(final_uri=str(url), sha256=sha256, bytes=size)


def _next(url: httpx.URL, answer: httpcore.Response, guard: Guard) -> httpx.URL:
    location = header(answer, b"location")
    if not location:
        raise Refused(Outcome.UNREACHABLE, f"redirect {answer.status} without a target")
    try:
        target = str(url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(Outcome.BLOCKED, f"redirect to an unreadable address: {error}") from error
    return guard.parse(target)


@contextmanager
def _explained() -> Iterator[None]:
    """What httpcore says of a server's manners; our own errors pass through."""
    try:
        yield
    except httpcore.RemoteProtocolError as error:
        # Behind a colon are its own words: it may say our request, secrets and all, back to us.
        what = str(error).partition(":")[0]
        raise TryAgain(f"the server does not speak HTTP properly: {what}") from error
    except httpcore.LocalProtocolError as error:
        raise Refused(Outcome.BLOCKED, f"the address can't be requested: {error}") from error
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise TryAgain(f"the connection broke: {error}") from error
