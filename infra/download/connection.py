"""Sockets that go to a pinned address and nowhere else, and keep to one deadline."""

import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import certifi
import httpcore

from infra.addresses import Address, read_address
from infra.download.limits import Deadline, DownloadLimits, Wire
from infra.guard import Guard, Pinned, blocked
from unmask.errors import Refused, TryAgain, Unanswered
from unmask.outcomes import Outcome

#: So near the limit the kernel takes no more ahead than the small buffer: it would come over the
#: wire for nothing. Farther from it, it may take what a fast line needs.
_NEAR, _SMALL_BUFFER = 8 << 20, 16 << 10


@cache
def verified_tls() -> ssl.SSLContext:
    """The system's certificates, and certifi's where a bare machine has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class PinnedStream(httpcore.NetworkStream):
    def __init__(
        self, sock: socket.socket, deadline: Deadline, limits: DownloadLimits, wire: Wire
    ) -> None:
        self._sock = sock
        self._deadline = deadline
        self._limits = limits
        self._wire = wire
        self._is_near = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._deadline.within(self._limits.idle_s))
        if self._wire.left < _NEAR and not self._is_near:
            self._is_near = True
            take_little_ahead(self._sock)
        try:
            # One byte beyond tells whether there is more.
            data = self._sock.recv(min(max_bytes, max(self._wire.left, 0) + 1))
        except TimeoutError as error:
            self._deadline.left()
            raise TryAgain(f"the server was silent for {self._limits.idle_s:g} s") from error
        except OSError as error:
            raise TryAgain(f"the connection broke: {error}") from error
        self._wire.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._sock.settimeout(self._deadline.within(self._limits.idle_s))
        try:
            self._sock.sendall(buffer)
        except TimeoutError as error:
            self._deadline.left()
            raise TryAgain("the server does not take the request") from error
        except OSError as error:
            raise TryAgain(f"the connection broke: {error}") from error

    def close(self) -> None:
        """What the kernel took ahead came over the wire too."""
        with suppress(OSError, ValueError):  # closed before
            self._wire.received += unread(self._sock)
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "PinnedStream":
        self._sock.settimeout(self._deadline.within(self._limits.connect_s))
        try:
            sealed = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            reason = f"the certificate of {server_hostname} is not valid: {error.verify_message}"
            raise Refused(Outcome.UNREACHABLE, reason) from error
        except OSError as error:
            self._deadline.left()
            raise TryAgain(f"no secure connection to {server_hostname}: {error}") from error
        return PinnedStream(sealed, self._deadline, self._limits, self._wire)

    def get_extra_info(self, info: str) -> Any:
        return self._sock if info == "socket" else None


class PinnedNetwork(httpcore.NetworkBackend):
    """For one request: whatever host is asked for, only `pinned` is connected to."""

    def __init__(
        self, pinned: Pinned, guard: Guard, deadline: Deadline, limits: DownloadLimits, wire: Wire
    ) -> None:
        self._pinned = pinned
        self._guard = guard
        self._deadline = deadline
        self._limits = limits
        self._wire = wire

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        troubles: list[OSError] = []
        for address in self._pinned.addresses:
            self._refuse_own(address)
            try:
                return self._connect(address)
            except OSError as error:
                troubles.append(error)
        self._deadline.left()
        raise self._no_connection(troubles)

    def _no_connection(self, troubles: Sequence[OSError]) -> TryAgain:
        """A refusal is an answer: somebody is there to refuse."""
        ends = zip(self._pinned.addresses, troubles, strict=True)
        told = "; ".join(f"{address}: {error}" for address, error in ends)
        refused = any(isinstance(one, ConnectionRefusedError) for one in troubles)
        kind = TryAgain if refused else Unanswered
        return kind(f"no connection to {self._pinned.host} ({told})")

    def _connect(self, address: Address) -> PinnedStream:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if self._wire.left < _NEAR:
                take_little_ahead(sock)
            sock.settimeout(self._deadline.within(self._limits.connect_s))
            sock.connect((str(address), self._pinned.port))
            _check_peer(sock, address)
        except (OSError, Refused):
            sock.close()
            raise
        return PinnedStream(sock, self._deadline, self._limits, self._wire)

    def _refuse_own(self, address: Address) -> None:
        if not self._guard.allows(address) and is_this_machine(address):
            raise blocked(f"{self._pinned.host} has the address {address}, which is this machine")


def unread(sock: socket.socket) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))
    return int(count)


def take_little_ahead(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)


def _check_peer(sock: socket.socket, address: Address) -> None:
    peer = read_address(sock.getpeername()[0])
    if peer != address:
        raise blocked(f"connected to {peer} in place of {address}")


def is_this_machine(address: Address) -> bool:
    """Whether the way there starts where it ends. Connecting UDP sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False
        return read_address(str(probe.getsockname()[0])) == address
