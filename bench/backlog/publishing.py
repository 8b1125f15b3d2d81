"""Messages per second: as the sweep sends them, and as Celery's `delay()` does."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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

        def ours(count: int) -> Rates:
            offers = [_offer(number) for number in range(count)]
            return Rates.of(count, lambda: send(app, offers))

        def celerys(count: int) -> Rates:
            labels = [_label(number) for number in range(count)]
            return Rates.of(count, lambda: [nothing.delay(label) for label in labels])

        ours(100)
        celerys(100)
        pairs = [(ours(MESSAGES), celerys(MESSAGES // 5)) for _ in range(ROUNDS)]
    return {
        "publish_per_s": statistics.median(one.wall for one, _ in pairs),
        "publish_delay_per_s": statistics.median(one.wall for _, one in pairs),
        "ratio_publish": statistics.median(one.wall / other.wall for one, other in pairs),
        "ratio_publish_cpu": statistics.median(one.cpu / other.cpu for one, other in pairs),
    }


@dataclass(frozen=True, kw_only=True)
class Rates:
    """A second by the clock, and a second of this process's CPU time, which others hardly move."""

    wall: float
    cpu: float

    @classmethod
    def of(cls, count: int, action: Callable[[], object]) -> Self:
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        return cls(
            wall=count / (time.perf_counter() - wall), cpu=count / (time.process_time() - cpu)
        )


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
