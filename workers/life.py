"""What every worker does when it starts and when it is told to stop."""

import logging
import sys
from typing import Any

from celery import Celery, signals

from tasks.broker import refuse_eviction
from tasks.drain import drain
from unmask.errors import Unusable

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up_logging(level: str) -> None:
    logging.basicConfig(level=level, format=FORMAT, stream=sys.stderr, force=True)
    # Celery's own lines on every received task say less than ours and cost more.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)


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
