"""`python -m workers.sweep`: the feeder, a plain loop with one leader at a time.

It is no Celery task: two ticks a second would push the items out of Flower's memory.
"""

import logging
import sys
import threading
import time

from celery import Celery

from infra.resources import resources
from tasks.broker import is_there, refuse_eviction
from tasks.janitor import Janitor
from tasks.sweep import Feeder
from unmask.errors import TryAgain, UnmaskError, Unusable
from workers.app import make_app
from workers.life import set_up_logging, told_to_stop
from workers.sign import Sign

log = logging.getLogger(__name__)

#: While the database is away, look again after this long.
PATIENCE_S = 5.0
#: How often objects past their term are looked for.
CLEAN_EVERY_S = 10.0
#: After a tick that sent something the next one comes sooner.
BUSY_SHARE = 0.25
#: How often Redis is asked whether it is there, and for how long its answer is good.
ASK_EVERY_S = 4.0
GOOD_FOR_S = 10.0


def main() -> int:
    """Tick until told to stop."""
    stop = told_to_stop()
    try:
        tools = resources()
        set_up_logging(tools.settings.log_level)
        app = make_app()
        refuse_eviction(app)
        feeder, bell, sign = Feeder(app, tools), Doorbell(app), _sign()
    except (Unusable, TryAgain) as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    for name, work in {
        "janitor": lambda: clean_up(Janitor(tools), feeder, stop),
        "doorbell": lambda: bell.listen(stop),
    }.items():
        threading.Thread(target=work, name=name, daemon=True).start()
    wait_s = 0.0
    while not stop.wait(wait_s):
        try:
            ticked = feeder.tick()
            if bell.answers:
                sign.round_finished()
            # Hosts that are visited a few items at a time would else wait for the next look.
            busy = ticked is not None and ticked.sent > 0
            wait_s = tools.settings.sweep_every_s * (BUSY_SHARE if busy else 1.0)
        except TryAgain as trouble:
            log.warning("%s; next look in %.0f s", trouble.reason, PATIENCE_S)
            wait_s = PATIENCE_S
    feeder.step_down()
    sign.take_away()
    return 0


def _sign() -> Sign:
    try:
        return Sign()
    except OSError as error:
        raise Unusable(
            f"no sign of life can be left for the health check: {error}; "
            "point TMPDIR at a folder that this user may write"
        ) from error


class Doorbell:
    """Whether Redis answers, asked in a thread of its own: one that hangs holds up no round."""

    def __init__(self, app: Celery) -> None:
        self._app, self._answered_at = app, -GOOD_FOR_S

    def listen(self, stop: threading.Event) -> None:
        while True:
            if is_there(self._app):
                self._answered_at = time.monotonic()
            if stop.wait(ASK_EVERY_S):
                return

    @property
    def answers(self) -> bool:
        return time.monotonic() - self._answered_at < GOOD_FOR_S


def clean_up(janitor: Janitor, feeder: Feeder, stop: threading.Event) -> None:
    """Deleting may take its time: it must not hold up the window."""
    while not stop.wait(CLEAN_EVERY_S):
        if not feeder.leads:
            continue
        try:
            janitor.clean()
        except UnmaskError as trouble:
            log.warning("objects past their term are not deleted yet: %s", trouble)
        except Exception:  # the outermost edge of one round: the next one may do better
            log.exception("cleaning up failed")


if __name__ == "__main__":
    sys.exit(main())
