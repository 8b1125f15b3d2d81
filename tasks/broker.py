"""What the queue asks of its Redis."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from celery import Celery
from kombu.exceptions import OperationalError

from unmask.errors import Unusable

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: The policy of a Redis that refuses when it is full, instead of throwing something away.
KEEPS_ALL = "noeviction"


def refuse_eviction(app: Celery) -> None:
    """`Unusable` where Redis would make room by throwing messages and bindings away.

    A Redis that is away now is waited for as always; one that doesn't say is taken as it is.
    """
    policy = _policy(app)
    if policy and policy != KEEPS_ALL:
        raise Unusable(
            f"Redis would throw messages away when it is full (maxmemory-policy {policy}): "
            f"set `maxmemory-policy {KEEPS_ALL}` in its configuration"
        )


def _policy(app: Celery) -> str:
    def policy(channel: Any) -> str:
        return str(channel.client.info("memory").get("maxmemory_policy", ""))

    return ask(app, policy, otherwise="", what="how it makes room")


def is_there(app: Celery) -> bool:
    """Whether Redis answers now."""
    return ask(app, lambda channel: bool(channel.client.ping()), otherwise=False, what="its state")


def ask(app: Celery, question: Callable[[Any], Answer], *, otherwise: Answer, what: str) -> Answer:
    """What Redis says on a connection of its own; `otherwise` where it is away or doesn't say."""
    with app.connection_for_read() as connection:
        trouble: tuple[type[BaseException], ...] = (
            OperationalError,
            *connection.connection_errors,
            *connection.channel_errors,
        )
        try:
            return question(connection.default_channel)
        except trouble as error:
            log.warning("Redis does not tell %s: %s", what, error)
            return otherwise
