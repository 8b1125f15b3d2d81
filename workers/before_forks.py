"""A pool's processes share what the worker loaded, for as long as nobody writes to it.

The collector writes to all that it looks at: what is there before the first fork it leaves alone.
"""

import gc
from typing import Any

from celery import signals


def settle(**_: Any) -> None:
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def watch() -> None:
    signals.worker_before_create_process.connect(settle, weak=False)
