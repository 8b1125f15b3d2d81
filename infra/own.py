"""Our own services, which no stranger's address may reach: by name, and by where the name leads."""

import ipaddress
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

from infra.addresses import Address, read_address

#: A service that moves is found again after this long.
KEPT_S = 60.0


class OwnHosts:
    """Names, and the addresses they have, looked up once a minute."""

    def __init__(
        self,
        names: Iterable[str],
        resolver: Callable[[str, int], Sequence[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = frozenset(plain(name) for name in names)
        self._resolver, self._clock = resolver, clock
        self._found: frozenset[Address] = frozenset()
        self._until = -float("inf")

    def has_name(self, host: str) -> bool:
        return host in self._names

    def has(self, address: Address) -> bool:
        if self._names and self._clock() >= self._until:
            self._found = frozenset(self._look_up())
            self._until = self._clock() + KEPT_S
        return address in self._found

    def _look_up(self) -> Iterator[Address]:
        for name in self._names:
            try:
                texts = [name] if _is_literal(name) else self._resolver(name, 0)
                yield from map(read_address, texts)
            except (OSError, ValueError, UnicodeError):
                continue  # a name that leads nowhere can't be reached under another one


def plain(host: str) -> str:
    """As DNS compares names; one dot at the end means nothing."""
    return host.lower().removesuffix(".")


def hosts_of(*urls: str | None) -> set[str]:
    """The hosts that the addresses of services name: `postgresql://a,b/db?host=c` has three."""
    return {host for url in urls if url for host in _hosts(url)}


def _hosts(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    _, _, ends = parts.netloc.rpartition("@")
    yield from filter(None, map(_without_port, ends.split(",")))
    for name, value in parse_qsl(parts.query):
        if name in ("host", "hostaddr"):
            yield from (one for one in value.split(",") if one and not one.startswith("/"))


def _without_port(end: str) -> str:
    if end.startswith("["):
        return end[1:].partition("]")[0]
    return end.partition(":")[0]


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
