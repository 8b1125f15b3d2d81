"""One thread per process that looks at things several times a second.

A thread for each item would cost about as much as the whole claim of one.
"""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

#: How often everything is looked at.
GLANCE_S = 0.25

Look = Callable[[], None]


class Ticker:
    """Starts its thread with the first look, in whichever process that happens after a fork."""

    def __init__(self) -> None:
        self._looks: dict[int, Look] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, look: Look) -> int:
        """Returns the number under which to `remove` it."""
        number = id(look)
        self._looks[number] = look
        self._ensure_running()
        return number

    def remove(self, number: int) -> None:
        """No look begins afterwards; one that has begun may still be under way."""
        self._looks.pop(number, None)

    def _ensure_running(self) -> None:
        """A forked child has the object but not the thread."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(GLANCE_S)
            for look in list(self._looks.values()):
                _look(look)


def _look(look: Look) -> None:
    """The outermost edge of this thread: what others look at must go on being looked at."""
    try:
        look()
    except Exception:
        log.exception("a look of the ticker failed")


ticker = Ticker()
