"""kombu looks for abandoned messages every hundred seconds; a test can't wait for that."""

from celery import Celery

LOOK_EVERY_S = 2


def soon_restored(app: Celery) -> None:
    options = dict(app.conf.broker_transport_options)
    options |= {"unacked_restore_interval": LOOK_EVERY_S, "unacked_restore_throttle": 1}
    app.conf.broker_transport_options = options
