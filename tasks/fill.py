"""How full a GPU worker's batches are, left on Redis for the exporter in one small hash."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import redis

from unmask.wording import printable

log = logging.getLogger(__name__)

KEY = "unmask:gpu"
#: How often a busy worker tells.
EVERY_S = 5.0
#: A worker that has told nothing for so long is gone, and its line with it.
FORGOTTEN_S = 3600.0
#: No worker lives to count so far, and a float holds it.
MOST = 1 << 53


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Since the worker started."""

    at: float
    batches: int = 0
    items: int = 0
    busy_s: float = 0.0


class Tells(Protocol):
    def hset(self, name: str, key: str, value: str) -> Any: ...


class Fill:
    """Counts in memory; a thread of its own writes, so that no batch ever waits for Redis."""

    def __init__(
        self, connect: Callable[[], Tells], worker: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._connect, self._worker, self._clock = connect, worker, clock
        self._now = Filled(at=clock())
        self._news, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fill", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._news.set()

    def add(self, *, items: int, busy_s: float) -> None:
        was = self._now
        self._now = Filled(
            at=self._clock(),
            batches=was.batches + 1,
            items=was.items + items,
            busy_s=was.busy_s + busy_s,
        )
        self._news.set()

    def _run(self) -> None:
        client = self._connect()
        while self._news.wait() and not self._stop.is_set():
            self._news.clear()
            try:
                client.hset(KEY, self._worker, json.dumps(asdict(self._now)))
            except redis.RedisError as error:
                log.warning("could not tell how full the batches are: %s", error)
            self._stop.wait(EVERY_S)


def read_fills(client: Any) -> Mapping[str, Filled]:
    """Of every worker that told lately; the lines of those that are gone are removed."""
    fills = {}
    for worker, line in client.hgetall(KEY).items():
        one = _filled(line)
        if one is None or one.at < time.time() - FORGOTTEN_S:
            client.hdel(KEY, worker)
        else:
            fills[printable(worker.decode("utf-8", "replace"))] = one
    return fills


def _filled(line: bytes) -> Filled | None:
    """None where no worker of ours wrote it; of a newer one, what is known here."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match found:
        case {
            "at": int(at) | float(at),
            "batches": int(batches),
            "items": int(items),
            "busy_s": int(busy_s) | float(busy_s),
        } if max(batches, items, busy_s, at) < MOST:
            return Filled(at=at, batches=batches, items=items, busy_s=busy_s)
        case _:
            return None
