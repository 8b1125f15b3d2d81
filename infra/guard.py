"""The guard: which addresses a stranger's URL may make us visit.

    URL ── parse ──> scheme, host, port ── resolve once ──> addresses ── every one public? ──> pin

The caller connects to a pinned address and nowhere else, and brings every redirect back here.
"""

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import httpx

from infra.addresses import Address, read_address, read_networks, why_not_public
from infra.own import NOWHERE, OwnHosts, plain
from unmask.errors import Refused, Unanswered, Unusable
from unmask.outcomes import Outcome

#: A host's addresses, as text. `OSError` as `socket.getaddrinfo` raises it.
Resolver = Callable[[str, int], Sequence[str]]

PORTS = {"http": 80, "https": 443}
#: Signed addresses are long; longer than this serves nobody.
MAX_URL = 8192
#: The limits of DNS.
MAX_HOST, MAX_LABEL = 253, 63

#: Characters that parsers disagree about. The authority ends at the first of `/?#`.
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"`\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
_START = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<authority>[^/?#]*)")
_PORT = re.compile(r":(?P<digits>[^\]:]+)$")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.ASCII)
#: A last label that some resolver would read as a number makes the whole host an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

#: Names that mean this machine or its network, whatever they resolve to.
_INSIDE = ("localhost", "local", "internal", "home.arpa", "localdomain")


def blocked(reason: str) -> Refused:
    return Refused(Outcome.BLOCKED, reason)


def _own_service(what: str) -> Refused:
    return blocked(
        f"{what} is one of our own services; "
        "only UNMASK_DOWNLOAD_ALLOW_NETWORKS opens the network it is in"
    )


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Where one request may connect: these addresses, all of them looked at."""

    host: str
    port: int
    addresses: tuple[Address, ...]


class Guard:
    def __init__(
        self,
        *,
        allow_networks: Iterable[str] = (),
        ports: Iterable[int] = (80, 443),
        own_hosts: Iterable[str] = (),
        resolver: Resolver = resolve,
    ) -> None:
        try:
            self._allowed = read_networks(allow_networks)
        except ValueError as error:
            raise Unusable(f"a network that may be visited is written wrongly: {error}") from error
        self._ports = frozenset(ports)
        self._own = OwnHosts(own_hosts, resolver)
        self._resolver = resolver

    def parse(self, uri: str) -> httpx.URL:
        """The one parser. What it returns is what is requested; nothing is looked up yet."""
        _check_text(uri)
        try:
            url = httpx.URL(uri).copy_with(fragment=None)
            self._check_parts(url)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise blocked(f"not a web address: {error}") from error
        return url

    def pin(self, url: httpx.URL) -> Pinned:
        """Look the host up, once; refuse it if any of its addresses is not public."""
        host, port = _host(url), _port(url)
        literal = _literal(host)
        addresses = (literal,) if literal else self._resolve(host, port)
        for address in addresses:
            self.check(address, host)
        if self._own.has_name(host) and not all(map(self.allows, addresses)):
            raise _own_service(host)
        return Pinned(host=host, port=port, addresses=addresses)

    def check(self, address: Address, host: str) -> None:
        why = why_not_public(address)
        if self.allows(address):
            return
        if why:
            raise blocked(f"{host} has the address {address}, which is {why}")
        if self._own.has(address):
            raise _own_service(f"{host} ({address})")

    def allows(self, address: Address) -> bool:
        """Whether a network that was opened on purpose holds it."""
        return any(address in network for network in self._allowed)

    def _check_parts(self, url: httpx.URL) -> None:
        if url.scheme not in PORTS:
            raise blocked(f"only http and https are fetched, not {url.scheme!r:.40}")
        if url.userinfo:
            raise blocked("the address holds a user name or password")
        host, port = _host(url), _port(url)
        if not _literal(host):
            _check_name(host)
        if port not in self._ports:
            raise blocked(f"port {port} is not one that may be visited")

    def _resolve(self, host: str, port: int) -> tuple[Address, ...]:
        try:
            found = tuple(read_address(text) for text in self._resolver(host, port))
        except socket.gaierror as error:
            raise _no_address(host, error) from error
        except (ValueError, UnicodeError) as error:
            raise blocked(f"{host} has an address that can't be read: {error}") from error
        except OSError as error:
            raise Unanswered(f"looking up {host} failed: {error}") from error
        if not found:
            raise Refused(Outcome.UNREACHABLE, f"{host} has no address")
        return found


def _check_text(uri: str) -> None:
    if len(uri) > MAX_URL:
        raise blocked(f"the address is {len(uri)} characters long; {MAX_URL} are allowed")
    if unsafe := _UNSAFE.search(uri):
        raise blocked(f"the address holds the character {unsafe[0]!r}, which has no place in one")
    start = _START.match(uri)
    if not start:
        raise blocked("not a web address: it must begin with http:// or https://")
    if "%" in start["authority"]:
        raise blocked("the host is written with percent signs")
    if "@" in start["authority"]:
        raise blocked("the address holds a user name or password")
    if odd := next((one for one in start["authority"] if one.isdigit() and not one.isascii()), ""):
        raise blocked(f"the host is written with the digit {odd!r}")
    port = _PORT.search(start["authority"])
    if port and not (port["digits"].isascii() and port["digits"].isdecimal()):
        raise blocked(f"not a port: {port['digits']!r:.40}")


def _check_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > MAX_HOST or not all(
        len(label) <= MAX_LABEL and _LABEL.fullmatch(label) for label in labels
    ):
        raise blocked(f"not a host name: {host!r:.80}")
    if _NUMBER.fullmatch(labels[-1]):
        raise blocked(f"{host} is a number in disguise, not a host name")
    if host.endswith(tuple("." + inside for inside in _INSIDE)) or host in _INSIDE:
        raise blocked(f"{host} is a name of this machine or its own network")


def _host(url: httpx.URL) -> str:
    """As DNS is asked for it: ASCII."""
    return plain(url.raw_host.decode("ascii"))


def _port(url: httpx.URL) -> int:
    return PORTS[url.scheme] if url.port is None else url.port


def _literal(host: str) -> Address | None:
    if ":" in host:
        return IPv6Address(host)
    try:
        return IPv4Address(host)
    except AddressValueError:
        return None


def _no_address(host: str, error: socket.gaierror) -> Refused | Unanswered:
    if error.errno in NOWHERE:
        return Refused(Outcome.UNREACHABLE, f"there is no host named {host}")
    return Unanswered(f"looking up {host} failed: {error.strerror}")
