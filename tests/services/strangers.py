"""A web server that behaves as badly as it is told to, over real sockets."""

import contextlib
import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

MIB = 1 << 20
MEDIA = b"the bytes of a film " * 50


@dataclass
class Stranger:
    """What it saw, and how to reach it."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    #: Bytes that were sent to clients, over all connections.
    sent: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "media.example.com") -> str:
        return f"http://{host}:{self.port}{path}"


@dataclass
class Visit:
    """One connection, for a behaviour to misuse."""

    client: socket.socket
    stranger: Stranger
    path: str

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            sent = self.client.send(rest[:4096])
            self.stranger.sent += sent
            rest = rest[sent:]

    def wait(self, seconds: float) -> None:
        self.stranger.stopping.wait(seconds)

    def answer(self, status: str = "200 OK", body: bytes = MEDIA, **headers: str) -> None:
        fields = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.send(head(status, fields) + body)

    def redirect(self, target: str, status: str = "302 Found") -> None:
        self.answer(status, b"elsewhere", Location=target)


def head(status: str, fields: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


Behaviour = Callable[[Visit], None]


def endless(visit: Visit) -> None:
    visit.send(head("200 OK", {}))
    endless_zeros(visit)


def endless_zeros(visit: Visit) -> None:
    while not visit.stranger.stopping.is_set():
        visit.send(bytes(64 << 10))


def drip_body(visit: Visit) -> None:
    visit.send(head("200 OK", {"Content-Length": "100000"}))
    while not visit.stranger.stopping.is_set():
        visit.send(b"x")
        visit.wait(0.05)


def drip_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not visit.stranger.stopping.is_set():
        visit.send(b"x")
        visit.wait(0.05)


def silent(visit: Visit) -> None:
    visit.wait(60)


def silent_in_body(visit: Visit) -> None:
    visit.send(head("200 OK", {"Content-Length": "1000"}) + b"x" * 10)
    visit.wait(60)


def endless_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    while not visit.stranger.stopping.is_set():
        visit.send(b"X-More: " + b"y" * 4000 + b"\r\n")


def too_short(visit: Visit) -> None:
    visit.send(head("200 OK", {"Content-Length": "5000"}) + MEDIA)


def reset(visit: Visit) -> None:
    visit.send(head("200 OK", {"Content-Length": "5000"}) + MEDIA)
    linger_zero = b"\x01\0\0\0\0\0\0\0"
    visit.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)


@cache
def bomb() -> bytes:
    """64 MiB of zeros, made without holding them."""
    making = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(MIB)
    return b"".join([making.compress(zeros) for _ in range(64)]) + making.flush()


def gzip_bomb(visit: Visit) -> None:
    visit.answer(body=bomb(), Content_Encoding="gzip")


def bomb_on_redirect(visit: Visit) -> None:
    visit.answer("302 Found", bomb(), Content_Encoding="gzip", Location="/media")


def chunked(*parts: bytes) -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.send(head("200 OK", {"Transfer-Encoding": "chunked"}))
        for part in parts:
            visit.send(part)

    return behave


def raw(data: bytes) -> Behaviour:
    return lambda visit: visit.send(data)


def status(line: str, **headers: str) -> Behaviour:
    return lambda visit: visit.answer(line, b"sorry", **headers)


def to(target: str, line: str = "302 Found") -> Behaviour:
    return lambda visit: visit.redirect(target, line)


def hop(visit: Visit) -> None:
    """/hop/5 → /hop/4 … → /media"""
    left = int(visit.path.rpartition("/")[2])
    visit.redirect(f"/hop/{left - 1}" if left else "/media")


def fat(visit: Visit) -> None:
    """/fat/9 → /fat/8 … → /endless, with as long a head as a client takes."""
    left = int(visit.path.rpartition("/")[2])
    target = f"/fat/{left - 1}" if left else "/endless"
    visit.answer("302 Found", b"", Location=target, X_More="y" * 90_000)


def talkative_hop(visit: Visit) -> None:
    """/talkative-hop/5 → … → /endless, each with a body without end."""
    left = int(visit.path.rpartition("/")[2])
    target = f"/talkative-hop/{left - 1}" if left else "/endless"
    visit.send(head("302 Found", {"Location": target}))
    endless_zeros(visit)


def parrot(visit: Visit) -> None:
    """Says the request back, as an echo service does."""
    visit.send(visit.stranger.requests[-1])


def header_parrot(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n" + visit.stranger.requests[-1])


def chunk_parrot(visit: Visit) -> None:
    visit.send(IN_CHUNKS + visit.stranger.requests[-1])


def over_and_over(data: bytes, first: bytes = b"") -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.send(first)
        while not visit.stranger.stopping.is_set():
            visit.send(data)

    return behave


IN_CHUNKS = head("200 OK", {"Transfer-Encoding": "chunked"})


def echo(visit: Visit) -> None:
    visit.answer(body=visit.stranger.requests[-1])


BEHAVIOURS: dict[str, Behaviour] = {
    "/media": lambda visit: visit.answer(),
    "/html-type": lambda visit: visit.answer(Content_Type="text/html"),
    "/empty": lambda visit: visit.answer(body=b""),
    "/echo": echo,
    "/endless": endless,
    "/drip-body": drip_body,
    "/drip-head": drip_head,
    "/silent": silent,
    "/silent-in-body": silent_in_body,
    "/endless-head": endless_head,
    "/too-short": too_short,
    "/too-long": lambda visit: visit.answer(Content_Length=str(len(MEDIA) - 7)),
    "/reset": reset,
    "/declared-huge": lambda visit: visit.send(head("200 OK", {"Content-Length": str(1 << 40)})),
    "/length-lies": lambda visit: visit.answer(Content_Length="-5"),
    "/length-twice": raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + MEDIA
    ),
    "/length-words": lambda visit: visit.answer(Content_Length="many"),
    "/gzip": lambda visit: visit.answer(body=gzip.compress(MEDIA), Content_Encoding="gzip"),
    "/deflate": lambda visit: visit.answer(body=zlib.compress(MEDIA), Content_Encoding="deflate"),
    "/gzip-bomb": gzip_bomb,
    "/gzip-broken": lambda visit: visit.answer(Content_Encoding="gzip"),
    "/gzip-short": lambda visit: visit.answer(
        body=gzip.compress(MEDIA)[:-12], Content_Encoding="gzip"
    ),
    "/gzip-twice": lambda visit: visit.answer(Content_Encoding="gzip, gzip"),
    "/brotli": lambda visit: visit.answer(Content_Encoding="br"),
    "/bomb-on-redirect": bomb_on_redirect,
    "/chunked": chunked(b"5\r\nhello\r\n", b"6\r\n world\r\n", b"0\r\n\r\n"),
    "/chunked-short": chunked(b"5\r\nhello\r\n"),
    "/chunked-garbage": chunked(b"zz\r\nhello\r\n0\r\n\r\n"),
    "/chunked-huge": chunked(b"ffffffffffffffff\r\nhello\r\n"),
    "/chunk-words": over_and_over(b"1;" + b"w" * 60_000 + b"\r\nx\r\n", IN_CHUNKS),
    "/chunks-of-one": over_and_over(b"1\r\nx\r\n" * 1000, IN_CHUNKS),
    "/endless-trailer": over_and_over(b"X-More: y\r\n", IN_CHUNKS + b"1\r\nx\r\n0\r\n"),
    "/endless-hints": over_and_over(
        b"HTTP/1.1 103 Early Hints\r\nX-More: " + b"y" * 4000 + b"\r\n\r\n"
    ),
    "/fat": fat,
    "/talkative-hop": talkative_hop,
    "/http-1.0": raw(b"HTTP/1.0 200 OK\r\n\r\n" + MEDIA),
    "/http-0.9": raw(MEDIA),
    "/garbage": raw(b"\x00\xff\x13\x37" * 100),
    "/nothing": raw(b""),
    "/parrot": parrot,
    "/header-parrot": header_parrot,
    "/chunk-parrot": chunk_parrot,
    "/evil-head": raw(b"HTTP/1.1 200 OK\r\nX-\x00Y: 1\r\n\r\n"),
    "/partial": status("206 Partial Content", Content_Range="bytes 0-4/100"),
    "/no-content": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/unchanged": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "/upgrade": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    "/early-hints": raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + MEDIA),
    "/busy": status("429 Too Many Requests", Retry_After="17"),
    "/down": status("503 Service Unavailable"),
    "/hop": hop,
    "/loop": to("/loop"),
    "/no-target": status("302 Found"),
    "/mars": to("/media", "308 Permanent Redirect"),
    "/cookie": lambda visit: visit.answer("302 Found", Location="/echo", Set_Cookie="a=secret"),
}


def _read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            break
        data += part
    return data


def _serve(client: socket.socket, stranger: Stranger, extra: dict[str, Behaviour]) -> None:
    # What lies in our own kernel would else count as sent.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 10)
    with client, contextlib.suppress(OSError):
        request = _read_request(client)
        stranger.requests.append(request)
        if not request:
            return
        path = request.split(b" ")[1].decode() if request.count(b" ") > 1 else "/"
        behave = extra.get(path) or BEHAVIOURS["/" + path.strip("/").split("/")[0].split("?")[0]]
        behave(Visit(client, stranger, path))


def _accept(listener: socket.socket, stranger: Stranger, extra: dict[str, Behaviour]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, stranger, extra), daemon=True).start()


@contextmanager
def stranger(
    address: str = "127.0.0.1", port: int = 0
) -> Iterator[tuple[Stranger, dict[str, Behaviour]]]:
    """A server, and the table of behaviours to add to."""
    extra: dict[str, Behaviour] = {}
    with socket.create_server((address, port), backlog=100) as listener:
        one = Stranger(port=listener.getsockname()[1])
        accepting = threading.Thread(target=_accept, args=(listener, one, extra), daemon=True)
        accepting.start()
        try:
            yield one, extra
        finally:
            one.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
