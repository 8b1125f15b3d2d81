"""Celery's Redis transport, with every message looked at before Celery sees it.

A stock worker's main process ends on the first list entry that is not JSON, and takes its queue's
other items with it. Here such an entry is counted, logged and dropped, and the next one is read.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

import redis
from kombu.transport import redis as stock

from infra.doorbell import envelope
from infra.doorbell.envelope import BadEnvelope
from infra.doorbell.refusals import record

log = logging.getLogger(__name__)

#: Lists with this end carry workers' answers to Flower, not items.
CONTROL = ".pidbox"

Look = Callable[[bytes, str], bytes | None]


class LookingRedis(redis.Redis):
    """What is popped off a list is looked at; a refused entry is as if nothing had come."""

    def __init__(self, *args: Any, look: Look, queue_of: Callable[[bytes], str], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self._look, self._queue_of = look, queue_of

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        above: Any = super()
        answer = above.parse_response(connection, command_name, **options)
        if command_name == "BRPOP" and answer:
            key, data = answer
            good = self._look(_bytes(data), self._queue_of(key))
            return None if good is None else (key, good)
        if command_name == "RPOP" and answer:
            return self._look(_bytes(answer), CONTROL)
        return answer


class QoS(stock.QoS):
    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Whoever can write to Redis can also write what waits for its acknowledgement."""
        channel: Any = self.channel
        with channel.conn_or_acquire(client) as connected:
            kept = connected.hget(self.unacked_key, tag)
            if kept is None or channel.is_good_kept(_bytes(kept)):
                super().restore_by_tag(tag, connected, leftmost)
                return
            connected.zrem(self.unacked_index_key, tag)
            connected.hdel(self.unacked_key, tag)


class Channel(stock.Channel):
    QoS = QoS

    def is_good_kept(self, data: bytes) -> bool:
        return self._looked_at(data, "unacked", envelope.kept_message) is not None

    def _connparams(self, asynchronous: bool = False) -> Any:
        """A late acknowledgement may find its connection gone: lost like any, not our own fault.

        The stock channel stumbles over its missing parent here, and the worker ends.
        """
        parent: Any = self.connection
        if parent is None or parent.client is None:
            raise redis.ConnectionError("the connection of this channel is gone")
        above: Any = super()
        return above._connparams(asynchronous)

    def _get_client(self) -> Any:
        return functools.partial(LookingRedis, look=self._look, queue_of=self._queue_of)

    def _queue_of(self, key: Any) -> str:
        return _bytes(key).decode("utf-8", "replace").rsplit(self.sep, 1)[0]

    def _look(self, data: bytes, queue: str) -> bytes | None:
        judge = envelope.control_message if queue.endswith(CONTROL) else envelope.item_message
        return self._looked_at(data, queue, judge)

    def _handle_message(self, client: Any, answer: Any) -> dict[str, Any]:
        """What was published: commands to workers, and their events."""
        above: Any = super()
        payload: dict[str, Any] = above._handle_message(client, answer)
        if _bytes(payload["type"]).endswith(b"message"):
            channel = _bytes(payload["channel"]).decode("utf-8", "replace")
            data = _bytes(payload["data"])
            payload["data"] = self._looked_at(data, channel, envelope.control_message)
        return payload

    def _looked_at(self, data: bytes, queue: str, judge: Callable[[bytes], bytes]) -> bytes | None:
        try:
            return judge(data)
        except BadEnvelope as error:
            log.warning("a message on %s was refused: %s", queue, error)
            with self.conn_or_acquire() as client:
                record(client, queue=queue, kind=error.kind, size=len(data))
            return None


class Transport(stock.Transport):
    Channel = Channel


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
