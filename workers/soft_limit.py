"""Celery's soft limit reaches a pool process as a signal: only in the middle of a task is it heard.

The main process may have waited for a Redis that did not answer, and finds then that the limits of
tasks are over which have long ended. Their processes are writing an answer or waiting for the next
task; an exception there would cut the answer off, and the main process ends on half an answer.
"""

import signal
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import signals

LIMIT = signal.SIGUSR1


def _raise(*_: Any) -> None:
    raise SoftTimeLimitExceeded


def listen(**_: Any) -> None:
    signal.signal(LIMIT, _raise)


def ignore(**_: Any) -> None:
    signal.signal(LIMIT, signal.SIG_IGN)


def only_in_tasks(**_: Any) -> None:
    """In a pool process; elsewhere no such signal comes."""
    signals.task_prerun.connect(listen, weak=False)
    signals.task_postrun.connect(ignore, weak=False)


def guard() -> None:
    signals.worker_process_init.connect(only_in_tasks, weak=False)
