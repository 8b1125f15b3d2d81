"""A real Flower on a real Redis: what it shows to whom."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis
from flower.urls import handlers

from producer.local import redis_server
from tests import servers
from tests.polling import until
from tests.services import hostile_messages as hostile

ROOT = Path(__file__).resolve().parents[2]
UP_WITHIN_S = 60
USER, PASSWORD = "unmask", "hunter2-and-more"
FLOWER = (sys.executable, "-m", "celery", "-A", "workers.cpu", "flower")

#: What anyone may see: that it is up, and the style of pages that nobody else gets.
OPEN = {"/healthcheck", "/static/x"}
#: Paths that are nothing under a password, and the catch-all.
NOTHING = {"/metrics", "/login", "/logout", "/nowhere"}


def paths() -> list[str]:
    """Every path that Flower knows, with names filled in where it takes one."""
    patterns = [one[0] if isinstance(one, tuple) else one.regex.pattern for one in handlers]
    filled = [one.replace("(.+)", "x").replace("(.*)", "x").rstrip("$") for one in patterns]
    return sorted({one.removesuffix("/?") for one in filled} - {".*"})


API = [path for path in paths() if path.startswith("/api/")]
PAGES = [path for path in paths() if path not in {*API, *OPEN, *NOTHING}]


def environment(redis_url: str, **variables: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("UNMASK_", "FLOWER_"))
    }
    return kept | {"UNMASK_REDIS_URL": redis_url} | variables


@dataclass(frozen=True, kw_only=True)
class Flower:
    base_url: str

    def statuses(self, path: str, auth: tuple[str, str] | None = None) -> dict[str, int]:
        """What a reader and a writer are answered."""
        with httpx.Client(base_url=self.base_url, auth=auth, timeout=30) as client:
            return {method: client.request(method, path).status_code for method in ("GET", "POST")}


@contextmanager
def flower(redis_url: str, **variables: str) -> Iterator[Flower]:
    port = redis_server.free_port()
    process = subprocess.Popen(
        FLOWER,
        cwd=ROOT,
        env=environment(redis_url, UNMASK_FLOWER_PORT=str(port), **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/healthcheck", process)
        yield Flower(base_url=f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(address).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"Flower did not come up (status {process.poll()})")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(redis_url: str) -> Iterator[Flower]:
    """Off loopback with a password, and with somebody's attempt to open the API all the same."""
    with flower(
        redis_url,
        UNMASK_FLOWER_ADDRESS="0.0.0.0",
        UNMASK_FLOWER_PASSWORD=PASSWORD,
        FLOWER_UNAUTHENTICATED_API="true",
    ) as shown:
        yield shown


@pytest.fixture(scope="module")
def loopback(redis_url: str) -> Iterator[Flower]:
    """Without a password, and with attempts to open the API and to leave loopback."""
    with flower(redis_url, FLOWER_UNAUTHENTICATED_API="true", FLOWER_ADDRESS="192.0.2.7") as shown:
        yield shown


def test_the_paths_are_flowers_own() -> None:
    """So that a newer Flower's new path is tested too."""
    assert {"/api/tasks", "/api/task/send-task/x", "/api/worker/shutdown/x"} <= set(API)
    assert {"/", "/tasks", "/task/x", "/broker"} <= set(PAGES)


class TestWithAPassword:
    @pytest.mark.parametrize("path", [*API, *PAGES])
    def test_nothing_is_answered_without_it(self, guarded: Flower, path: str) -> None:
        """405: the path has no such method, for anybody."""
        assert set(guarded.statuses(path).values()) in ({401}, {401, 405})

    @pytest.mark.parametrize("path", ["/api/workers", "/tasks", "/api/task/send-task/x"])
    @pytest.mark.parametrize("auth", [(USER, "wrong"), ("somebody", PASSWORD), (USER, "")])
    def test_nor_with_another(self, guarded: Flower, path: str, auth: tuple[str, str]) -> None:
        assert 401 in guarded.statuses(path, auth).values()
        assert 200 not in guarded.statuses(path, auth).values()

    @pytest.mark.parametrize("path", ["/api/tasks", "/api/task/types", "/", "/tasks", "/workers"])
    def test_with_it_all_is_there(self, guarded: Flower, path: str) -> None:
        assert guarded.statuses(path, (USER, PASSWORD))["GET"] == 200

    @pytest.mark.parametrize("auth", [None, (USER, PASSWORD)])
    def test_metrics_are_nowhere(self, guarded: Flower, auth: tuple[str, str] | None) -> None:
        assert guarded.statuses("/metrics", auth)["GET"] == 404

    def test_that_it_is_up_anyone_may_know(self, guarded: Flower) -> None:
        assert guarded.statuses("/healthcheck")["GET"] == 200

    def test_events_of_strangers_do_not_end_it(self, guarded: Flower, redis_url: str) -> None:
        odd = hostile.message(body=hostile.body({"type": "task-received", "uuid": ["x"]}))
        events = [b"hello", b"[]", b"{}", hostile.deep().encode(), hostile.raw(odd)]
        with redis.Redis.from_url(redis_url) as client:
            until(lambda: client.publish("/0.celeryev/task.received", b"hello") > 0, UP_WITHIN_S)
            for event in events:
                client.publish("/0.celeryev/task.received", event)
        assert guarded.statuses("/api/tasks", (USER, PASSWORD))["GET"] == 200
        assert guarded.statuses("/tasks", (USER, PASSWORD))["GET"] == 200

    def test_other_sites_may_not_read_it(self, guarded: Flower) -> None:
        answer = httpx.get(f"{guarded.base_url}/api/tasks", headers={"Origin": "http://other"})
        assert "access-control-allow-origin" not in answer.headers


class TestOnLoopbackWithout:
    @pytest.mark.parametrize("path", API)
    def test_the_api_is_closed(self, loopback: Flower, path: str) -> None:
        assert set(loopback.statuses(path).values()) == {401}

    def test_pages_are_shown(self, loopback: Flower) -> None:
        assert loopback.statuses("/tasks")["GET"] == 200

    def test_metrics_are_nowhere(self, loopback: Flower) -> None:
        assert loopback.statuses("/metrics")["GET"] == 404

    def test_other_sites_may_not_read_it(self, loopback: Flower) -> None:
        answer = httpx.get(f"{loopback.base_url}/tasks", headers={"Origin": "http://other"})
        assert "access-control-allow-origin" not in answer.headers


class TestRefusesToStart:
    def started(
        self, redis_url: str, *options: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FLOWER, *options],
            cwd=ROOT,
            env=environment(redis_url, **variables),
            capture_output=True,
            text=True,
            timeout=UP_WITHIN_S,
            check=False,
        )

    @pytest.mark.parametrize("address", ["0.0.0.0", "flower.example"])
    def test_off_loopback_without_a_password(self, redis_url: str, address: str) -> None:
        done = self.started(redis_url, UNMASK_FLOWER_ADDRESS=address)
        assert done.returncode != 0
        assert f"Flower on {address} needs a password: set UNMASK_FLOWER_PASSWORD" in done.stderr
        assert "Traceback" not in done.stderr

    def test_an_address_past_the_settings(self, redis_url: str) -> None:
        done = self.started(redis_url, "--address=0.0.0.0")
        assert done.returncode != 0
        assert "UNMASK_FLOWER_ADDRESS" in done.stderr
        assert "Traceback" not in done.stderr
