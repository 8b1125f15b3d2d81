"""Our own services, which no stranger's address may reach: by name, and by where the name leads."""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from infra.addresses import Address, read_address

#: A service that moves is found again after this long.
KEPT_S = 60.0
#: And one whose name got no answer after this long: not for each stranger's address.
ASKED_AGAIN_S = 5.0
#: The resolver's answer is that there is no such host. Anything else is no answer.
NOWHERE = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


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
        self._found: dict[str, frozenset[Address]] = {}
        self._until = -float("inf")

    def has_name(self, host: str) -> bool:
        return host in self._names

    def has(self, address: Address) -> bool:
        if self._names and self._clock() >= self._until:
            self._look_up()
        return any(address in found for found in self._found.values())

    def _look_up(self) -> None:
        """A name that gets no answer keeps its last addresses, and is soon asked about again.

        Nobody waits until each has one: a machine may never be able to look up its own name, and
        no stranger's item is to end because our resolver rests.
        """
        found, until = dict(self._found), self._clock() + KEPT_S
        for name in self._names:
            try:
                found[name] = frozenset(self._addresses(name))
            except OSError:
                until = self._clock() + ASKED_AGAIN_S
        self._found, self._until = found, until

    def _addresses(self, name: str) -> Iterator[Address]:
        for text in [name] if _is_literal(name) else self._texts(name):
            with suppress(ValueError):  # of one link only, where no address of the web leads
                yield read_address(text)

    def _texts(self, name: str) -> Sequence[str]:
        """None where the name leads nowhere: then no other one leads to the same place."""
        try:
            return self._resolver(name, 0)
        except UnicodeError:
            return ()
        except socket.gaierror as error:
            if error.errno in NOWHERE:
                return ()
            raise


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
