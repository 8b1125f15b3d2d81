"""Items that came behind another one's message have lines of their own in Flower."""

from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry

import settings
from schemas.stages import Stage
from tasks import names
from tasks.flower import Lines
from tasks.say import again
from tests.events import listening
from tests.making.claims import a_claim
from tests.polling import until
from workers.app import make_app


@pytest.fixture
def app(redis_url: str) -> Celery:
    return make_app(settings=settings.load(redis_url=redis_url))


def test_their_lines_say_what_became_of_them(app: Celery, redis_url: str) -> None:
    seen: list[dict[str, Any]] = []
    lines = Lines(app, names.EXTRACT, "cpu@one")
    ended: dict[int, str | Retry] = {18: "blocked", 19: again(Stage.WAITING, "HTTP 503")}

    def is_heard() -> bool:
        lines.end({1: "is anybody there?"})
        return bool(seen)

    with listening(redis_url, seen):
        until(is_heard)
        lines.begin([a_claim(18), a_claim(19)])
        lines.end(ended)
        until(lambda: sum(one["uuid"] != "extract-1" for one in seen) >= 6)
    told = {
        item: [(one["type"], one["hostname"]) for one in seen if one["uuid"] == f"extract-{item}"]
        for item in ended
    }
    begun = [("task-received", "cpu@one"), ("task-started", "cpu@one")]
    assert told[18] == [*begun, ("task-succeeded", "cpu@one")]
    assert told[19] == [*begun, ("task-retried", "cpu@one")]
    assert any("blocked" in one.get("result", "") for one in seen)
    assert any("HTTP 503" in one.get("exception", "") for one in seen)


def test_an_item_does_not_fail_for_a_redis_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    away = make_app(settings=settings.load(redis_url="redis://127.0.0.1:1/0"))
    Lines(away, names.EXTRACT, "cpu@one").end({18: "blocked"})
    assert "Flower was not told of 1 items" in caplog.text
