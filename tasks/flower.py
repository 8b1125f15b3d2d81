"""What Flower is told beside Celery's own events: every item is a line there, however it came."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.exceptions import Retry
from kombu.exceptions import KombuError

from infra.redact import label
from schemas.records import Claim
from tasks import names
from unmask.wording import printable

log = logging.getLogger(__name__)


@contextmanager
def together(app: Celery, channel: Any, count: int, hostname: str | None = None) -> Iterator[Any]:
    """Events that reach Flower in one message."""
    grouped: dict[str, Any] = {"buffer_group": {"task"}, "buffer_limit": count + 1}
    enabled = app.conf.task_send_sent_event
    with app.events.Dispatcher(
        channel=channel, hostname=hostname, enabled=enabled, **grouped
    ) as told:
        yield told
        told.flush()


class Lines:
    """Of the items that came behind another one's message: that one's line is Celery's own."""

    def __init__(self, app: Celery, task: str, hostname: str) -> None:
        self._app, self._task, self._hostname = app, task, hostname

    def begin(self, claims: Sequence[Claim]) -> None:
        def tell(told: Any) -> None:
            for claim in claims:
                shown = printable(label(claim.uri))
                uuid = names.task_id(self._task, claim.item)
                told.send(
                    "task-received",
                    uuid=uuid,
                    name=self._task,
                    args=shown,
                    kwargs="",
                    root_id=uuid,
                    parent_id=None,
                    retries=0,
                    eta=None,
                    expires=None,
                )
                told.send("task-started", uuid=uuid)

        self._tell(2 * len(claims), tell)

    def end(self, ended: Mapping[int, str | Retry]) -> None:
        def tell(told: Any) -> None:
            for item, words in ended.items():
                uuid = names.task_id(self._task, item)
                if isinstance(words, Retry):
                    told.send("task-retried", uuid=uuid, exception=repr(words.exc), traceback="")
                else:
                    told.send("task-succeeded", uuid=uuid, result=repr(words))

        self._tell(len(ended), tell)

    def _tell(self, count: int, tell: Callable[[Any], None]) -> None:
        """No item fails for what Flower was not told."""
        if not count:
            return
        with self._app.producer_pool.acquire(block=True) as given:
            producer: Any = given
            passing = (KombuError, *producer.connection.connection_errors)
            try:
                producer.connection.ensure_connection(max_retries=1)  # kombu would wait for ever
                with together(self._app, producer.channel, count, self._hostname) as told:
                    tell(told)
            except passing as error:
                log.warning("Flower was not told of %d items: %s", count, error)
