"""What a backlog costs in Redis: a window of it, or, as Celery does it, all of it."""

import tempfile
from pathlib import Path
from typing import Any

import redis
from celery import Celery

import settings
from bench.backlog import Figures
from infra.ledger import Ledger
from tasks.send import send
from tests import servers
from workers.app import make_app

CELERYS_BACKLOG = 100_000


def window_bytes(ledger: Ledger) -> float:
    """A window that is full, as it is whenever there is a backlog; the offers are taken back."""
    with tempfile.TemporaryDirectory() as folder, servers.redis(Path(folder)) as url:
        given = settings.load(redis_url=url)
        app = make_app(settings=given)
        empty = _used(url)
        offers = ledger.offer(window=given.window_items, lease_s=given.offer_lease_s)
        assert send(app, offers) == len(offers) > 0
        ledger.forget_offers()
        return _used(url) - empty


def celerys_bytes() -> float:
    """The same list as Celery tasks: every item a message."""
    with tempfile.TemporaryDirectory() as folder, servers.redis(Path(folder)) as url:
        app = Celery("plain", broker=url)
        empty = _used(url)
        with app.producer_pool.acquire(block=True) as given:
            producer: Any = given
            with producer.batch():
                for number in range(CELERYS_BACKLOG):
                    uri = f"https://cdn.example/media/{number:09d}/video.mp4"
                    app.send_task("scan", args=[uri], producer=producer)
        return _used(url) - empty


def memory() -> Figures:
    """Celery's own way at 100,000 items; a full window stands beside it in the other parts."""
    return {"redis_celery_100k_bytes": celerys_bytes()}


def _used(url: str) -> float:
    """Of all keys; the server's own total moves with its clients' buffers."""
    with redis.Redis.from_url(servers.redis_admin(url)) as client:
        return float(sum(client.memory_usage(key, samples=0) or 0 for key in client.scan_iter()))
