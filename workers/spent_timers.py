"""Celery keeps the time limit of a task that has ended until the limit would have come.

That is ten minutes of half a kilobyte each: a worker whose tasks take a moment grows by megabytes.
"""

import heapq
from typing import Any

from celery import Celery, bootsteps
from kombu.asynchronous.timer import Timer

EVERY_S = 30.0


class SpentTimers(bootsteps.StartStopStep):
    requires = ("celery.worker.components:Timer",)

    def register_with_event_loop(self, _worker: Any, hub: Any) -> None:
        hub.call_repeatedly(EVERY_S, drop_spent, hub.timer)


def drop_spent(timer: Timer) -> None:
    """In place: the loop that calls this is going through the same list."""
    queue = timer._queue
    queue[:] = [one for one in queue if not one.entry.canceled]
    heapq.heapify(queue)


def watch(app: Celery) -> None:
    app.steps["worker"].add(SpentTimers)
