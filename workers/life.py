"""What every worker does when it starts and when it is told to stop."""

import logging
import signal
import sys
import threading
from typing import Any

from celery import Celery, signals

from infra.redact import redact_text
from tasks.broker import refuse_eviction
from tasks.drain import drain
from unmask.errors import Unusable
from unmask.wording import printable

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: At DEBUG they tell whole requests and answers: signatures, cookies, where a redirect leads.
TELL_TOO_MUCH = ("boto3", "botocore", "httpcore", "httpx", "s3transfer", "urllib3")


class OneLine(logging.Formatter):
    """Strangers' words can't begin a line of their own, steer a terminal or carry a password."""

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = redact_text(super().format(record)).split("\n")
        return "\n".join([printable(first), *(f"    {printable(line)}" for line in rest)])


def set_up_logging(level: str) -> None:
    logging.basicConfig(level=level, stream=sys.stderr, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(OneLine(FORMAT))
    for name in TELL_TOO_MUCH:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Celery's own lines on every received task say less than ours and cost more.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)


def told_to_stop() -> threading.Event:
    """Set by SIGTERM or Ctrl-C, for processes that are no Celery workers."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def announce(app: Celery) -> None:
    """Logging, a look at Redis, and a bound on the time that a stopping worker holds its items."""

    @signals.setup_logging.connect(weak=False)
    def _log(**_: Any) -> None:
        set_up_logging(app.conf.unmask_log_level)

    @signals.worker_init.connect(weak=False)
    def _check(**_: Any) -> None:
        try:
            refuse_eviction(app)
        except Unusable as error:
            raise SystemExit(f"unmask: {error}") from None

    @signals.worker_shutting_down.connect(weak=False)
    def _stop(**_: Any) -> None:
        drain.start(app.conf.unmask_drain_s)
