"""Messages per second: as the sweep sends them, and as Celery's `delay()` does."""

import statistics
import tempfile
import time
from pathlib import Path

import settings
from bench.backlog import Figures
from schemas.records import Offer, Priority
from schemas.stages import Stage
from tasks.send import send
from tests import servers
from workers.app import make_app

MESSAGES = 5_000
ROUNDS = 5


def publish() -> Figures:
    """In turns, the events that Flower shows switched on for both."""
    with tempfile.TemporaryDirectory() as folder, servers.redis(Path(folder)) as url:
        app = make_app(settings=settings.load(redis_url=url))

        @app.task(name="bench.nothing")
        def nothing(label: str) -> None:
            """Never run here."""

        def ours(count: int) -> float:
            offers = [_offer(number) for number in range(count)]
            begun = time.perf_counter()
            assert send(app, offers) == count
            return count / (time.perf_counter() - begun)

        def celerys(count: int) -> float:
            labels = [_label(number) for number in range(count)]
            begun = time.perf_counter()
            for label in labels:
                nothing.delay(label)
            return count / (time.perf_counter() - begun)

        ours(100)
        celerys(100)
        pairs = [(ours(MESSAGES), celerys(MESSAGES // 5)) for _ in range(ROUNDS)]
    return {
        "publish_per_s": statistics.median(one for one, _ in pairs),
        "publish_delay_per_s": statistics.median(one for _, one in pairs),
        "ratio_publish": statistics.median(one / other for one, other in pairs),
    }


def _label(number: int) -> str:
    return f"https://cdn.example/media/{number:09d}/video.mp4"


def _offer(number: int) -> Offer:
    return Offer(
        item=number,
        stage=Stage.WAITING,
        priority=Priority.NORMAL,
        label=_label(number),
        attempt=1,
    )
