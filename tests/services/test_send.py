"""Messages that go out in batches are those that Celery itself would send one by one."""

import base64
import dataclasses
import json
from typing import Any

import pytest
import redis
from celery import Celery

import settings
from schemas.messages import ItemMessage
from schemas.records import Offer, Priority
from schemas.stages import Stage
from tasks import names
from tasks.send import BATCH, depth, handfuls, send
from tests import servers
from workers.app import PRIORITY_STEPS, make_app


@pytest.fixture
def app(redis_url: str) -> Celery:
    return make_app(settings=settings.load(redis_url=redis_url))


def offer(item: int, stage: Stage = Stage.WAITING) -> Offer:
    label = f"https://example.org/{item}.mp4"
    return Offer(
        item=item, stage=stage, priority=Priority.NORMAL, label=label, attempt=1, first=True
    )


def test_a_message_is_as_celery_writes_it(app: Celery, redis_url: str) -> None:
    assert send(app, [offer(7)]) == 1
    app.send_task(
        names.EXTRACT,
        args=[ItemMessage(item=7).to_json()],
        task_id=names.task_id(names.EXTRACT, 7),
        queue=names.CPU_QUEUE,
        priority=int(Priority.NORMAL),
        argsrepr="https://example.org/7.mp4",
        kwargsrepr="",
        ignore_result=True,
    )
    ours, celerys = taken(redis_url, 2)
    assert ours == celerys


def test_a_handful_is_one_message_and_those_who_may_not_wait_go_alone(
    app: Celery, redis_url: str
) -> None:
    late = dataclasses.replace(offer(6), attempt=2, first=False)
    assert send(app, [*(offer(item) for item in range(1, 6)), late, offer(7)], most=3) == 7
    messages = [one["body"][0][0] for one in taken(redis_url, 4)]
    assert [ItemMessage.from_json(one).items for one in messages] == [(1, 2, 3), (4, 5), (6,), (7,)]


def test_live_items_and_those_to_be_classified_go_alone() -> None:
    live = [dataclasses.replace(offer(item), priority=Priority.LIVE) for item in (1, 2)]
    cut = [offer(item, Stage.EXTRACTED) for item in (3, 4)]
    assert [len(one) for one in handfuls([*live, *cut, offer(5), offer(6)], 8)] == [1, 1, 1, 1, 2]


def taken(url: str, count: int) -> list[dict[str, Any]]:
    """Messages from a queue, oldest first, without what differs from one to the next."""
    key = f"{names.CPU_QUEUE}\x06\x16{int(Priority.NORMAL)}"
    with redis.Redis.from_url(servers.redis_admin(url)) as client:
        raw = [client.rpop(key) for _ in range(count)]
    found = [json.loads(one) for one in raw if isinstance(one, bytes)]
    for one in found:
        for name in ("delivery_tag", "reply_to", "argsrepr", "kwargsrepr"):
            one["properties"].pop(name, None)
        one["body"] = json.loads(base64.b64decode(one["body"]))
    return found


def test_more_than_a_batch_goes_out_whole(app: Celery, redis_url: str) -> None:
    both = [offer(1, Stage.EXTRACTED), *(offer(item) for item in range(2, BATCH + 12))]
    assert send(app, both) == len(both)
    with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
        lengths = {
            queue: sum(client.llen(f"{queue}\x06\x16{step}") for step in PRIORITY_STEPS)
            for queue in names.QUEUES.values()
        }
    assert lengths == {names.CPU_QUEUE: len(both) - 1, names.GPU_QUEUE: 1}


def test_a_redis_that_came_back_is_served_at_the_first_try(app: Celery, redis_url: str) -> None:
    """Its old connections are stale."""
    assert send(app, [offer(1)]) == 1
    with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert send(app, [offer(2)]) == 1


def test_a_full_redis_is_told_and_raises_nothing(
    app: Celery, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
        client.config_set("maxmemory", 1)
    assert send(app, [offer(item) for item in range(10)]) == 0
    assert "Redis took 0 offers" in caplog.text


def test_a_connection_that_is_cut_while_redis_is_asked_ends_nobody(
    app: Celery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The sweep asks often, and must outlive a wire that is cut in the middle of it."""
    send(app, [offer(1)])
    assert depth(app, names.CPU_QUEUE) == 1

    def cut(*_: object) -> int:
        raise redis.exceptions.ConnectionError("Error 32 while writing to socket. Broken pipe.")

    monkeypatch.setattr("kombu.transport.redis.Channel._size", cut)
    assert depth(app, names.CPU_QUEUE) == 0
    assert "Redis does not tell how long" in caplog.text
