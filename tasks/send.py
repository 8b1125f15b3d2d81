"""Ring the doorbell: tell a queue that an item is on offer."""

import logging
from collections.abc import Iterable
from typing import Any

from celery import Celery
from kombu import Producer
from kombu.exceptions import OperationalError

from infra.redact import redact
from schemas.messages import ItemMessage
from schemas.records import Claim, Offer
from schemas.stages import Stage
from tasks import names

log = logging.getLogger(__name__)


def send(app: Celery, offers: Iterable[Offer]) -> int:
    """Publish the offers; what Redis does not take is offered again when its lease ends."""
    sent = 0
    try:
        with app.producer_pool.acquire(block=True) as producer:
            for offer in offers:
                _publish(app, producer, offer)
                sent += 1
    except OperationalError as error:
        log.warning("Redis took %d offers and then no more: %s", sent, error)
    return sent


def depth(app: Celery, queue: str) -> int:
    """How many messages lie in a queue, over all its priorities."""
    try:
        with app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return int(channel.queue_declare(queue).message_count)
    except OperationalError as error:
        log.warning("Redis does not tell how long %s is: %s", queue, error)
        return 0


def _publish(app: Celery, producer: Producer, offer: Offer) -> None:
    task = names.TASKS[offer.stage]
    again = f" (attempt {offer.attempt})" if offer.attempt > 1 else ""
    app.send_task(
        task,
        args=[ItemMessage(item=offer.item).to_json()],
        task_id=names.task_id(task, offer.item),
        queue=names.QUEUES[task],
        priority=int(offer.priority),
        argsrepr=f"{offer.label}{again}",
        kwargsrepr="",
        producer=producer,
        ignore_result=True,
    )


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
