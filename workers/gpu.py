"""`celery -A workers.gpu worker`: classifies clips, many items at once, on one model thread."""

from typing import Any

from celery import signals

import tasks.classify
import tasks.pulse
from tasks.names import GPU_QUEUE
from workers.app import make_app
from workers.life import announce

__all__ = ["app"]

app = make_app(GPU_QUEUE)
app.conf.update(
    # Prefork and CUDA do not mix, and `solo` sends no heartbeat while a task runs.
    worker_pool="threads",
    worker_concurrency=app.conf.unmask_gpu_items,
    imports=[tasks.classify.__name__, tasks.pulse.__name__],
)
announce(app)


@signals.worker_ready.connect(weak=False)
def _begin(**_: Any) -> None:
    tasks.classify.begin()
