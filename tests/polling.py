"""Waiting for something to come true, and failing when it does not."""

import time
from collections.abc import Callable

EVERY_S = 0.1


def until(condition: Callable[[], bool], within_s: float = 120, every_s: float = EVERY_S) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"it did not come true in {within_s:g} s"
        time.sleep(every_s)
