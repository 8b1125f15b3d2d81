"""What is done to a worker of this suite before it starts: a wrong clock, a fault in Celery."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

#: Seconds by which this process's clock is wrong. The C library's own calls are not reached.
CLOCK = "CHAOS_CLOCK_S"
#: A file: the process that takes the next message dies before it records it, and leaves the file.
DIE_TAKING = "CHAOS_DIE_TAKING"


def set_clock() -> None:
    wrong_by = float(os.environ.get(CLOCK, "0"))
    if wrong_by:
        right = time.time
        time.time = lambda: right() + wrong_by


def die_taking() -> None:
    """Between Redis's BRPOP and the command that notes the message as unacknowledged."""
    mark = os.environ.get(DIE_TAKING)
    if not mark:
        return
    from kombu.transport.redis import QoS

    append = QoS.append

    def appended(self: Any, message: Any, tag: str) -> Any:
        if not Path(mark).exists():
            Path(mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return append(self, message, tag)

    vars(sys.modules[QoS.__module__])["QoS"].append = appended


def prepare() -> None:
    """Before Celery is imported, which takes `time.time` by name."""
    set_clock()
    die_taking()
