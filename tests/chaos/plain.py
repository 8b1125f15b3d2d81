"""Plain Celery on Redis, as its manual says for work that must not be lost: the control."""

import os
from pathlib import Path

from celery import Celery

from tests.chaos.patience import LOOK_EVERY_S

#: A folder with one file for each item that was done.
DONE = "CHAOS_PLAIN_DONE"
VISIBILITY_S = 5

app = Celery("plain", broker=os.environ.get("UNMASK_REDIS_URL"))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=1,
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_S,
        "unacked_restore_interval": LOOK_EVERY_S,
        "unacked_restore_throttle": 1,
    },
)


@app.task
def note(number: int) -> None:
    """What it does can be seen."""
    Path(os.environ[DONE], str(number)).touch()
