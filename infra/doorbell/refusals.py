"""How many messages were refused, and the last ones: kept on Redis, for `doctor` and the exporter.

It holds no word of a refused message: whoever wrote it also wrote that.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from unmask.wording import printable

log = logging.getLogger(__name__)

COUNTS = "unmask:refused"
LAST = "unmask:refused:last"
#: Enough to see what goes on.
KEPT = 20
#: A float holds such a count.
DIGITS = 15
#: The year 9999: no moment lies behind it.
LATEST = 253_402_300_799


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What `doctor` and the exporter tell."""

    #: By kind: `not JSON`, `too large`, `too deep`, `no envelope`, `not ours`.
    counts: Mapping[str, int]
    #: The last ones, the newest first: when, on which queue, how large, of which kind.
    last: tuple[Mapping[str, Any], ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def record(client: Any, *, queue: str, kind: str, size: int) -> None:
    """Counting must not fail the worker: a full Redis takes no more counts."""
    entry = json.dumps({"at": time.time(), "queue": queue, "kind": kind, "bytes": size})
    try:
        with client.pipeline() as pipe:
            pipe.hincrby(COUNTS, kind, 1)
            pipe.lpush(LAST, entry)
            pipe.ltrim(LAST, 0, KEPT - 1)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("could not count a refused message: %s", error)


def read_refusals(client: "redis.Redis") -> Refusals:
    """`redis.RedisError` where Redis can't be asked."""
    counts: Any = client.hgetall(COUNTS)
    last: Any = client.lrange(LAST, 0, KEPT - 1)
    return Refusals(
        counts={_text(kind): int(count) for kind, count in counts.items() if _is_count(count)},
        last=tuple(entry for one in last if (entry := _entry(one))),
    )


def _is_count(value: bytes | str) -> bool:
    return value.isdigit() and value.isascii() and len(value) <= DIGITS


def _entry(line: bytes | str) -> Mapping[str, Any] | None:
    """Whoever writes messages of their own to Redis may write here as well."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match found:
        case {
            "at": int(at) | float(at),
            "queue": str(queue),
            "kind": str(kind),
            "bytes": int(),
        } if 0 <= at < LATEST:
            return {**found, "queue": printable(queue), "kind": printable(kind)}
        case _:
            return None


def _text(value: bytes | str) -> str:
    return printable(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
