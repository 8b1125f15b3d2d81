"""What Redis tells of itself: queues, memory, and what GPU workers left there of their batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from infra.doorbell import read_refusals
from schemas.records import Priority
from tasks import names
from tasks.fill import Filled, read_fills
from unmask.errors import TryAgain

#: As kombu writes a queue's list for a priority above the first.
SEPARATOR = "\x06\x16"
ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    queues: Mapping[str, int]
    memory_bytes: int
    memory_limit_bytes: int
    workers: Mapping[str, Filled]
    #: By kind.
    refused: Mapping[str, int]


class Broker:
    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S
        )

    def look(self) -> Seen:
        try:
            memory = self._redis.info("memory")
            return Seen(
                queues={queue: self._length(queue) for queue in sorted(set(names.QUEUES.values()))},
                memory_bytes=memory["used_memory"],
                memory_limit_bytes=memory["maxmemory"],
                workers=read_fills(self._redis),
                refused=read_refusals(self._redis).counts,
            )
        except redis.RedisError as error:
            raise TryAgain(f"Redis: {error}") from error

    def _length(self, queue: str) -> int:
        lists = [queue] + [f"{queue}{SEPARATOR}{int(one)}" for one in Priority if one]
        return sum(int(self._redis.llen(one)) for one in lists)
