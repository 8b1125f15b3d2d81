"""A pool process that was killed writes nothing itself; here the main process names its items.

The ledger finds them by their lease. The line is for whoever reads the worker's log afterwards:
Celery's own names the signal, but a job number in place of the items.
"""

import logging
from collections.abc import Sequence
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import signals

from schemas.messages import ItemMessage, UnknownMessage

log = logging.getLogger(__name__)


def tell(*, exception: BaseException, args: Sequence[Any] = (), **_: Any) -> None:
    if isinstance(exception, WorkerLostError):
        log.error("a process died while it held %s: %s", _items(args), exception)


def _items(args: Sequence[Any]) -> str:
    try:
        found = ItemMessage.from_json(args[0] if args else None).items
    except UnknownMessage:
        return "a message that is not ours"
    return f"item {found[0]}" if len(found) == 1 else f"items {', '.join(map(str, found))}"


def watch() -> None:
    signals.task_failure.connect(tell, weak=False)
