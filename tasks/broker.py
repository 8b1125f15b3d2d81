"""What the queue asks of its Redis."""

import logging
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from unmask.errors import Unusable

log = logging.getLogger(__name__)

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
    with app.connection_for_read() as connection:
        trouble: tuple[type[BaseException], ...] = (
            OperationalError,
            *connection.connection_errors,
            *connection.channel_errors,
        )
        try:
            channel: Any = connection.default_channel
            return str(channel.client.info("memory").get("maxmemory_policy", ""))
        except trouble as error:
            log.warning("Redis does not tell how it makes room: %s", error)
            return ""
