"""What every test of media leaves as it found it."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_real_time() -> Iterator[None]:
    """SVT-AV1, run by root, puts its thread above everything else, and its children with it."""
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
