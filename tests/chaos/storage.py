"""An S3 server that does as it is told, and one time in so many does something else."""

import http.client
import random
import select
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

#: Of a store that is away: nothing comes, and nothing wrong either.
AWAY = ("busy", "silent")
FAULTS = (*AWAY, "truncated", "impostor", "half")
#: Of a store without room: what is there is given, nothing new is taken.
FULL = ("full",)
#: What may go wrong with a request; with any other, what goes wrong with a store that is away.
OF_METHOD = {"GET": FAULTS[:4], "PUT": ("busy", "silent", "half", *FULL)}
#: Requests in all that are taken and never answered: each costs a client its whole patience.
STALLS = 3
#: Far beyond that patience; a client that gives up ends the wait.
STALL_S = 300.0
NO_ROOM = (
    b"<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free"
    b" drive threshold.</Message></Error>"
)
BUSY = b"<Error><Code>SlowDown</Code><Message>reduce your request rate</Message></Error>"


@dataclass
class Misbehaviour:
    """Which share of the requests goes wrong; `impostor` is what is given instead of a clip."""

    target: str
    impostor: bytes
    share: float = 0.0
    #: It does nothing else than these.
    only: Collection[str] = FAULTS
    counts: dict[str, int] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    stalls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str) -> str:
        with self._lock:
            return self._fault(method)

    def _fault(self, method: str) -> str:
        if self.chance.random() >= self.share:
            return ""
        if self.stalls:
            self.stalls -= 1
            return self._count("stalled")
        possible = [one for one in OF_METHOD.get(method, AWAY) if one in self.only]
        return self._count(self.chance.choice(possible)) if possible else ""

    def _count(self, chosen: str) -> str:
        self.counts[chosen] = self.counts.get(chosen, 0) + 1
        return chosen


@contextmanager
def before(behaviour: Misbehaviour) -> Iterator[str]:
    """The address of the server that stands before the real one."""

    class Handler(_Handler):
        pass

    Handler.behaviour = behaviour
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    behaviour: Misbehaviour
    #: S3's clients ask before they send a body, and wait a second where nobody says `continue`.
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.behaviour.fault(self.command)
        self.close_connection = True
        if fault == "stalled":
            select.select([self.connection], [], [], STALL_S)
        if fault in ("silent", "stalled"):
            return
        if fault == "busy":
            self._answer(503, {"Content-Type": "application/xml"}, BUSY)
            return
        if fault == "full":
            self._answer(507, {"Content-Type": "application/xml"}, NO_ROOM)
            return
        if fault == "half":
            body = body[: len(body) // 2]
        status, fields, data = self._forward(body)
        if fault == "impostor" and status == 200:
            data = self.behaviour.impostor
        self._answer(status, fields, data, cut=fault == "truncated")

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        where = urlsplit(self.behaviour.target)
        peer = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
        fields = {name: value for name, value in self.headers.items() if name != "Content-Length"}
        try:
            peer.request(self.command, self.path, body or None, fields)
            answer = peer.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            peer.close()

    def _answer(
        self, status: int, fields: dict[str, str], data: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        for name, value in fields.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        length = fields.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Said by the test, if at all."""
