"""Which addresses are public. Everything not known to be public is not.

The standard library's `is_global` says yes to several that reach inside (NAT64, 6to4, multicast,
a cloud's metadata service), and its answer changes between Python versions. So: IPv4 is a list of
what to refuse, after the IANA registry of special-purpose addresses; IPv6 is the one block of
global unicast, less what inside it is special or carries an IPv4 address.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC_4 = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("10.0.0.0/8"): "a private network",
    IPv4Network("100.64.0.0/10"): "a carrier's shared network",
    IPv4Network("127.0.0.0/8"): "this machine",
    IPv4Network("169.254.0.0/16"): "link-local, where metadata services are",
    IPv4Network("172.16.0.0/12"): "a private network",
    IPv4Network("192.0.0.0/24"): "reserved for protocols",
    IPv4Network("192.0.2.0/24"): "for documentation",
    IPv4Network("192.31.196.0/24"): "a sink for private look-ups",
    IPv4Network("192.52.193.0/24"): "a multicast relay",
    IPv4Network("192.88.99.0/24"): "a 6to4 relay",
    IPv4Network("192.168.0.0/16"): "a private network",
    IPv4Network("192.175.48.0/24"): "a sink for private look-ups",
    IPv4Network("198.18.0.0/15"): "for benchmarks",
    IPv4Network("198.51.100.0/24"): "for documentation",
    IPv4Network("203.0.113.0/24"): "for documentation",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved",
    IPv4Network("168.63.129.16/32"): "a cloud's metadata service",
}

GLOBAL_UNICAST = IPv6Network("2000::/3")

NOT_PUBLIC_6 = {
    IPv6Network("2001::/23"): "reserved for protocols (Teredo among them)",
    IPv6Network("2001:db8::/32"): "for documentation",
    IPv6Network("2002::/16"): "6to4, which carries an IPv4 address",
    IPv6Network("2620:4f:8000::/48"): "a sink for private look-ups",
    IPv6Network("3ffe::/16"): "of a closed experiment",
    IPv6Network("3fff::/20"): "for documentation",
}

#: ISATAP puts these before the IPv4 address in the lower half, under any prefix.
_ISATAP = (0x00005EFE, 0x02005EFE)


def why_not_public(address: Address) -> str | None:
    """What the address is if it is not a public one, else None."""
    table = NOT_PUBLIC_4 if isinstance(address, IPv4Address) else NOT_PUBLIC_6
    special = next((why for network, why in table.items() if address in network), None)
    return special if isinstance(address, IPv4Address) else special or _why_not_global(address)


def _why_not_global(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "bound to one interface"
    if address not in GLOBAL_UNICAST:
        return "outside global unicast"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "ISATAP, which carries an IPv4 address"
    return None


def read_address(text: str) -> Address:
    """An address as a resolver or a socket writes it; `ValueError` for anything looser."""
    return ip_address(text)


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine and nobody else's business."""
    try:
        return read_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)
