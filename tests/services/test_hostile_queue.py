"""Real workers on a real Redis to which somebody else writes too."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

import settings
from infra.doorbell import read_refusals
from infra.ledger import Ledger, migrate, open_ledger
from producer.campaigns import Wanted, choose
from schemas.records import NewItem, Trust
from tasks import names
from tests import servers
from tests.events import listening
from tests.services import hostile_messages as hostile
from workers.app import make_app

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 90
MIB = 1 << 20


@dataclass
class Queue:
    """One worker process, its ledger, and what Redis and the events say."""

    url: str
    ledger: Ledger
    process: subprocess.Popen[bytes]
    log: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url)

    def push(self, data: bytes, queue: str = names.CPU_QUEUE) -> None:
        with self.redis as client:
            client.lpush(queue, data)

    def counts(self) -> Counter[str]:
        with self.redis as client:
            return Counter(read_refusals(client).counts)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + WITHIN_S
        while not holds():
            assert self.process.poll() is None, f"the worker ended: {self.log.read_text()[-4000:]}"
            assert time.monotonic() < end, f"not within {WITHIN_S} s: {what}"
            time.sleep(0.05)

    def serves(self) -> None:
        """A good item goes through."""
        name = f"good-{time.monotonic_ns()}"
        campaign = self.ledger.open_campaign(options(name))
        uri = f"http://127.0.0.1/{name}"
        self.ledger.submit(campaign, [NewItem(uri=uri, trust=Trust.REMOTE)])
        (row,) = self.ledger.results(name)
        good = hostile.message(body=hostile.body(hostile.call({"v": 1, "item": row.item})))
        self.push(hostile.named(good, f"extract-{row.item}"))
        self.until(lambda: bool(self.ledger.status(name).outcomes), "a good item's outcome")

    def seen(self, kind: str, name: str) -> list[dict[str, Any]]:
        return [one for one in self.events if (one["type"], one.get("uuid")) == (kind, name)]


def options(name: str) -> Any:
    return choose(Wanted(), name=name, media="-", shelf=ROOT / "models", device="cpu")


@contextmanager
def worker(folder: Path, url: str, module: str = "workers.cpu") -> Iterator[Queue]:
    address, log = f"sqlite:///{folder / 'unmask.db'}", folder / "worker.log"
    migrate(address)
    given = settings.load(
        redis_url=url, database_url=address, store_url=str(folder / "objects"), cpu_processes=1
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
    command = [sys.executable, "-m", "celery", "-A", module, "worker", "--without-mingle"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=kept | settings.environment(given), stdout=out, stderr=out
        )
    queue = Queue(url=url, ledger=open_ledger(address), process=process, log=log)
    try:
        with listening(url, queue.events):
            yield queue
    finally:
        queue.ledger.close()
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """Redis takes 64 MiB here, as one does that somebody else has set up."""
    folder = tmp_path_factory.mktemp("queue")
    with (
        servers.redis(folder, **{"proto-max-bulk-len": "512mb", "maxmemory": "1gb"}) as url,
        worker(folder, url) as one,
    ):
        one.serves()
        yield one


@pytest.mark.parametrize("name", hostile.REFUSED)
def test_it_is_counted_and_the_queue_moves(queue: Queue, name: str) -> None:
    kind, made = hostile.REFUSED[name]
    before = queue.counts()
    queue.push(hostile.raw(made()))
    queue.until(lambda: queue.counts() != before, "the refusal is counted")
    assert queue.counts() - before == Counter([kind])
    queue.serves()


def test_every_refusal_is_told_in_the_log(queue: Queue) -> None:
    before = queue.log.read_text().count("was refused")
    for _ in range(3):
        queue.push(b"\x1b]0;hello\x07\nnot JSON")
    queue.until(lambda: queue.log.read_text().count("was refused") == before + 3, "three lines")
    assert "\x1b" not in queue.log.read_text()


def test_the_last_refusals_are_kept_without_their_words(queue: Queue) -> None:
    for _ in range(30):
        queue.push(b"a word of a stranger")
    queue.serves()
    with queue.redis as client:
        last = read_refusals(client).last
    assert len(last) == 20
    assert {(one["queue"], one["kind"], one["bytes"]) for one in last} == {("cpu", "not JSON", 20)}
    assert "stranger" not in json.dumps(last)


@pytest.mark.parametrize("name", hostile.FAILING)
def test_what_no_worker_does_fails_where_flower_shows_it(queue: Queue, name: str) -> None:
    queue.push(hostile.named(hostile.FAILING[name], name))
    queue.until(lambda: bool(queue.seen("task-failed", name)), "the task failed visibly")
    queue.serves()


def test_a_replayed_message_does_nothing_twice(queue: Queue) -> None:
    campaign = queue.ledger.open_campaign(options("replayed"))
    queue.ledger.submit(campaign, [NewItem(uri="http://127.0.0.1/once", trust=Trust.REMOTE)])
    (row,) = queue.ledger.results("replayed")
    one = hostile.message(body=hostile.body(hostile.call({"v": 1, "item": row.item})))
    for _ in range(50):
        queue.push(hostile.named(one, f"extract-{row.item}"))
    name = f"extract-{row.item}"
    queue.until(lambda: len(queue.seen("task-succeeded", name)) == 50, "fifty answers")
    (after,) = queue.ledger.results("replayed")
    assert after.outcome == "blocked"
    moves = [move.new for move in queue.ledger.history(row.item)]
    assert moves == ["waiting", "extracting", "rejected"]
    with queue.redis as client:
        queue.until(lambda: client.zcard("unacked_index") == 0, "nothing waits for an answer")


def test_words_for_flower_can_steer_nothing(queue: Queue) -> None:
    made = hostile.message(headers__argsrepr="\x1b[2J\u202e<script>\n" + "x" * 10_000)
    queue.push(hostile.named(made, "words"))
    queue.until(lambda: bool(queue.seen("task-received", "words")), "the task is received")
    (event,) = queue.seen("task-received", "words")
    assert event["args"].isprintable()
    assert len(event["args"]) < 1000


def test_memory_does_not_grow_with_what_is_refused(queue: Queue) -> None:
    main = psutil.Process(queue.process.pid)
    queue.push(b"x" * (64 * MIB))
    queue.serves()
    before = main.memory_info().rss
    for _ in range(5):
        queue.push(b"x" * (64 * MIB))
    queue.serves()
    assert main.memory_info().rss - before < 70 * MIB


COMMANDS = {
    "a word": b"hello",
    "a number": b"17",
    "a list": b"[]",
    "nothing known": b"{}",
    "an object": json.dumps(hostile.message(body="e30=") | hostile.an_object("decimal", "x")),
    "deep": b'{"a":' + hostile.deep().encode() + b"}",
    "an unknown command": json.dumps(
        hostile.message(body=hostile.body({"method": "no_such_command", "arguments": {}}))
    ),
    "a command that is none": json.dumps(hostile.message(body=hostile.body(["shutdown"]))),
    "arguments of a wrong kind": json.dumps(
        hostile.message(body=hostile.body({"method": "ping", "arguments": 17}))
    ),
    "a compressed command": json.dumps(hostile.message(headers__compression="application/x-gzip")),
    "a clock that is none": json.dumps(
        hostile.message(body=hostile.body({"method": "ping"}), headers__clock="noon")
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_of_strangers_end_no_worker(queue: Queue, name: str) -> None:
    with queue.redis as client:
        assert client.publish("/0.celery.pidbox", COMMANDS[name]) == 1
        queue.serves()
        # It still hears its masters.
        answers = make_app(settings=settings.load(redis_url=queue.url)).control.ping(
            timeout=5, limit=1
        )
        assert [one for answer in answers or () for one in answer.values()] == [{"ok": "pong"}]


KEPT = {
    "a word": b"hello",
    "not a list": b"{}",
    "a message alone": hostile.raw(hostile.message()),
    "deep": hostile.deep().encode(),
    "an object": json.dumps([hostile.an_object("uuid", {"a": 1}), "cpu", "cpu"]).encode(),
}


def test_what_is_kept_for_later_is_looked_at_too(tmp_path: Path) -> None:
    """Somebody writes among the messages that wait for their acknowledgement."""
    with servers.redis(tmp_path) as url:
        app = make_app(settings=settings.load(redis_url=url))
        with app.connection_for_read() as connection, redis.Redis.from_url(url) as client:
            channel: Any = connection.default_channel
            for name, data in KEPT.items():
                client.hset("unacked", name, data)
                client.zadd("unacked_index", {name: 1.0})
            channel.qos.restore_visible(num=100, interval=1)
            assert client.zcard("unacked_index") == client.hlen("unacked") == 0
            assert client.llen(names.CPU_QUEUE) == 0
            assert read_refusals(client).total == len(KEPT)


def test_the_gpu_worker_is_guarded_too(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as url, worker(tmp_path, url, "workers.gpu") as queue:
        for name in ("a word", "an empty object", "an envelope as deep as fits"):
            queue.push(hostile.raw(hostile.REFUSED[name][1]()), names.GPU_QUEUE)
        queue.until(lambda: queue.counts().total() == 3, "counted")
        odd = hostile.named(hostile.FAILING["newer"], "newer")
        queue.push(odd.replace(b"unmask.extract", b"unmask.classify"), names.GPU_QUEUE)
        queue.until(lambda: bool(queue.seen("task-failed", "newer")), "it still works")


def test_a_gpu_worker_has_tested_its_model_before_any_item_comes(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as url, worker(tmp_path, url, "workers.gpu") as queue:
        tested = "its golden clip scores right"
        queue.until(lambda: tested in queue.log.read_text(), "the default model is tested")
