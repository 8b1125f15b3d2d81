"""face clips → scores → verdict, one task per item on top of one batcher per process."""

import functools
import logging
import os
import signal
import threading

from celery import shared_task

from infra.resources import resources
from schemas.messages import ItemMessage
from tasks import names
from tasks.batcher import Batcher
from tasks.models import Models
from unmask.errors import UnmaskError
from unmask.model.device import use_threads

log = logging.getLogger(__name__)

_starting = threading.Lock()


@shared_task(name=names.CLASSIFY)
def classify(body: object) -> str:
    """Classify one item's clips."""
    message = ItemMessage.from_json(body)
    return batcher().submit(message.item).result()


def batcher() -> Batcher:
    with _starting:
        return _batcher()


@functools.cache
def _batcher() -> Batcher:
    tools = resources()
    use_threads(tools.settings.gpu_threads)
    device = None if tools.settings.device == "auto" else tools.settings.device
    made = Batcher(tools, Models(tools.settings.models_dir, device), _stop_worker)
    made.start()
    return made


def begin() -> None:
    """Loads and tests what will probably be asked for, beside the rest of the start."""
    threading.Thread(target=_begin, name="begin", daemon=True).start()


def _begin() -> None:
    try:
        batcher()
    except UnmaskError as error:
        log.warning("not ready yet, the first item tries again: %s", error)


def _stop_worker() -> None:
    """A batcher that can't go on ends its process; the supervisor starts another."""
    os.kill(os.getpid(), signal.SIGTERM)
