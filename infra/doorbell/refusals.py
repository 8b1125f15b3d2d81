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

log = logging.getLogger(__name__)

COUNTS = "unmask:refused"
LAST = "unmask:refused:last"
#: Enough to see what goes on.
KEPT = 20


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
        counts={_text(kind): int(count) for kind, count in counts.items()},
        last=tuple(json.loads(one) for one in last),
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
