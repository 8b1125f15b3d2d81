"""Plain Celery, for comparison: late acknowledgement, two processes, events, a task of nothing."""

import os

from celery import Celery

app = Celery("plain", broker=os.environ.get("UNMASK_REDIS_URL"))
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=2,
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_track_started=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)


@app.task
def nothing(number: int) -> None:
    """No work: what is left is the queue's own."""
