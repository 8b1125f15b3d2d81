"""The host that an address leads to, as a number: what politeness is counted by."""

import hashlib
import re
from functools import lru_cache

#: Nobody is visited: a file of this machine, or a bucket of ours.
NO_HOST = 0
#: Our own object storage, which rests like a host when it is full or away.
STORE = 1
STORE_NAME = "object storage"

_HOST = re.compile(r"https?://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/?#:]*)", re.IGNORECASE)
#: Sixty-two bits: both databases hold them, and two hosts never share a number by chance.
_BITS = 62


def host_name(uri: str) -> str:
    """Lower case, without port; empty where no stranger is visited.

    >>> host_name("https://CDN.Example.:8443/a.mp4")
    'cdn.example'
    """
    found = _HOST.match(uri)
    return found[1].lower().removesuffix(".") if found else ""


def host_number(uri: str) -> int:
    name = host_name(uri)
    return _number(name) if name else NO_HOST


@lru_cache(maxsize=10_000)
def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) | (1 << 8)
