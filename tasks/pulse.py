"""Asked over Redis, a GPU worker tells whether its model thread moves."""

import time
from typing import Any

from celery.worker.control import inspect_command

from tasks import names
from tasks.classify import batcher


@inspect_command(name=names.PULSE)
def pulse(_state: Any) -> dict[str, float]:
    """Items in hand, and seconds since the model thread last took or finished something."""
    now = batcher()
    return {"open": now.open_items, "still_s": time.monotonic() - now.beat}
