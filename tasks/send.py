"""Ring the doorbell: tell a queue that an item is on offer, or that several are."""

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from celery import Celery
from kombu.exceptions import KombuError

from infra.redact import redact
from schemas.messages import ItemMessage
from schemas.records import Claim, Offer, Priority
from schemas.stages import Stage
from tasks import names
from tasks.broker import ask
from tasks.flower import together
from unmask.wording import printable

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Messages that go to Redis together.
BATCH = 1_000
#: Whether a batch that failed has arrived is not known. Sent twice, its messages are duplicates.
TRIES = 2


#: Offers that go behind one message.
Handful = Sequence[Offer]


def send(app: Celery, offers: Iterable[Offer], *, most: int = 1) -> int:
    """Publish the offers, up to so many behind one message.

    What Redis does not take is offered again when its lease ends.
    """
    sent = 0
    with app.producer_pool.acquire(block=True) as given:
        producer: Any = given  # the types that there are for kombu know of no batches
        passing = (KombuError, *producer.connection.connection_errors)
        try:
            for group in _groups(handfuls(offers, most)):
                _try(app, producer, group, passing)
                sent += sum(map(len, group))
        except passing as error:
            why = error.__cause__ or error
            log.warning("Redis took %d offers and then no more: %s", sent, why)
    return sent


def depth(app: Celery, queue: str) -> int:
    """How many messages lie in a queue, over all its priorities; none where Redis doesn't say."""

    def length(channel: Any) -> int:
        return int(channel.queue_declare(queue).message_count)

    return ask(app, length, otherwise=0, what=f"how long {queue} is")


def handfuls(offers: Iterable[Offer], most: int) -> Iterator[Handful]:
    """Neighbours that may go together: to be fetched, alike in priority, never taken before.

    A live item goes by itself, so that it waits for nobody.
    """
    for (stage, priority, first), alike in itertools.groupby(offers, key=_kind):
        alone = stage is not Stage.WAITING or priority is Priority.LIVE or not first
        yield from _cut(alike, 1 if alone else most)


def _kind(offer: Offer) -> tuple[Stage, Priority, bool]:
    return offer.stage, offer.priority, offer.first


def _groups(handfuls: Iterable[Handful]) -> Iterator[list[Handful]]:
    return _cut(handfuls, BATCH)


def _cut(line: Iterable[T], length: int) -> Iterator[list[T]]:
    left = iter(line)
    while piece := list(islice(left, length)):
        yield piece


def _try(
    app: Celery,
    producer: Any,
    handfuls: Sequence[Handful],
    passing: tuple[type[BaseException], ...],
) -> None:
    """Once more where a connection was stale: it is made anew."""
    for left in reversed(range(TRIES)):
        try:
            _publish_all(app, producer, handfuls)
            return
        except passing:
            if not left:
                raise


def _publish_all(app: Celery, producer: Any, handfuls: Sequence[Handful]) -> None:
    """All in one round trip, and one event that tells Flower of them all."""
    count = sum(map(len, handfuls))
    with together(app, producer.channel, count) as told, producer.batch(BATCH):
        for handful in handfuls:
            _publish(app, producer, handful)
            _tell(told, handful)


def _publish(app: Celery, producer: Any, handful: Handful) -> None:
    """It goes by the name of its first item; the others have lines in Flower all the same."""
    offer, *others = handful
    message = ItemMessage(item=offer.item, more=tuple(other.item for other in others))
    task = names.TASKS[offer.stage]
    name = names.task_id(task, offer.item)
    producer.publish(
        _BODY % json.dumps(message.to_json()),
        exchange="",
        routing_key=names.QUEUES[task],
        content_type="application/json",
        content_encoding="utf-8",
        priority=int(offer.priority),
        headers=_headers(app, task) | {"id": name, "root_id": name, "argsrepr": _words(offer)},
        correlation_id=name,
        reply_to="",
    )


def _tell(told: Any, offers: Iterable[Offer]) -> None:
    for offer in offers:
        task = names.TASKS[offer.stage]
        name, queue = names.task_id(task, offer.item), names.QUEUES[task]
        told.send(
            "task-sent",
            uuid=name,
            root_id=name,
            parent_id=None,
            name=task,
            args=_words(offer),
            kwargs="",
            retries=0,
            eta=None,
            expires=None,
            queue=queue,
            exchange="",
            routing_key=queue,
        )


def _words(offer: Offer) -> str:
    again = f" (attempt {offer.attempt})" if offer.attempt > 1 else ""
    return printable(f"{offer.label}{again}")


#: Positional arguments, named ones, and what Celery shall do next: nothing.
_BODY = '[[%s], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'


@cache
def _headers(app: Celery, task: str) -> dict[str, Any]:
    """As Celery itself writes them; building them for every message would cost most of its time."""
    made = app.amqp.create_task_message("", task, kwargsrepr="", argsrepr="", ignore_result=True)
    headers: dict[str, Any] = made.headers
    return headers


def offer_next(app: Celery, claim: Claim) -> None:
    """The item's next stage, at once; the ledger has already marked it as offered."""
    options = claim.campaign.options
    offer = Offer(
        item=claim.item,
        stage=Stage.EXTRACTED,
        priority=options.priority,
        label=redact(claim.uri),
        attempt=1,
    )
    send(app, [offer])
