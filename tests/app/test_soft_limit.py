"""A soft limit that comes too late must not cut off what a pool process is writing."""

import os
import signal
from collections.abc import Iterator

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from celery import Celery, signals

from workers import soft_limit


@pytest.fixture
def pool_process() -> Iterator[Celery]:
    """What runs in a pool process, in this one."""
    before = signal.getsignal(soft_limit.LIMIT)
    soft_limit.only_in_tasks()
    yield Celery("pool", broker="memory://", set_as_current=False)
    signals.task_prerun.disconnect(soft_limit.listen)
    signals.task_postrun.disconnect(soft_limit.ignore)
    signal.signal(soft_limit.LIMIT, before)


def out_of_time() -> None:
    os.kill(os.getpid(), soft_limit.LIMIT)


def in_time() -> None:
    """Nothing to do."""


def test_a_task_hears_of_its_limit(pool_process: Celery) -> None:
    task = pool_process.task(name="late")(out_of_time)
    with pytest.raises(SoftTimeLimitExceeded):
        task.apply(throw=True)


def test_nothing_is_heard_of_it_once_the_task_has_ended(pool_process: Celery) -> None:
    pool_process.task(name="quick")(in_time).apply(throw=True)
    out_of_time()
    assert signal.getsignal(soft_limit.LIMIT) is signal.SIG_IGN
