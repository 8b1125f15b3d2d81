"""A TCP proxy between a fleet and a server, whose wire a test can cut, or let go dead."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Self

CHUNK = 64 << 10
GLANCE_S = 0.1
GIVE_UP_S = 5.0
#: What each piece takes on a slow wire.
SLOW_S = 0.05


class Wire(Enum):
    #: Bytes go through.
    WHOLE = auto()
    #: Bytes are swallowed, and nobody is told; new connections are taken and swallowed too.
    BLACK_HOLE = auto()
    #: Every piece takes its time.
    SLOW = auto()
    #: New connections are refused.
    GONE = auto()


@dataclass
class Proxy:
    """Forwards `port` to a port of this machine, or to the path of a Unix socket."""

    target: int | str
    wire: Wire = Wire.WHOLE
    port: int = 0
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    #: Everything that was ever opened, to be closed at the end.
    _sockets: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: bool = True

    def __enter__(self) -> Self:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self._sockets.append(self._listener)
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in `accept`
        self.cut()
        for thread in self._threads:
            thread.join(GIVE_UP_S)
        for one in self._sockets:
            one.close()

    def cut(self) -> int:
        """Every connection that there is, as a router that restarts; how many there were."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    # Closed without a goodbye: the peer gets a reset.
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        return len(pairs)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while self._open:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                if self.wire is Wire.GONE or not self._open:
                    client.close()
                    continue
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = self._dial()
        except OSError:
            client.close()
            return
        self._pairs.append((client, server))
        for source, sink in ((client, server), (server, client)):
            self._run(self._pump, source, sink)

    def _run(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _dial(self) -> socket.socket:
        if isinstance(self.target, int):
            server = socket.socket()
            address: Any = ("127.0.0.1", self.target)
        else:
            server, address = socket.socket(socket.AF_UNIX), self.target
        self._sockets.append(server)
        server.connect(address)
        return server

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if self.wire is Wire.BLACK_HOLE:
                    self._swallow(source)
                if self.wire is Wire.SLOW:
                    time.sleep(SLOW_S)
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _swallow(self, source: socket.socket) -> None:
        """A connection that fell into the hole stays dead, as a half-open one does."""
        while self._open:
            if not source.recv(CHUNK):
                time.sleep(GLANCE_S)
                if source.fileno() < 0:
                    return
