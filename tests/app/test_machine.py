"""The one-machine fleet: who starts when, what is said of it, and when it gives up."""

import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from producer.local import Machine
from producer.local.machine import RESTARTS, KeepsEnding
from tasks.pool import pool_size, usable_cores

PASSWORD = "made-for-this-run"


class Acting:
    """Stands where a child process would; ends when the test says so."""

    def __init__(self, name: str, command: Any, **given: Any) -> None:
        self.name, self.log = name, given["logs"] / f"{name}.log"
        self.environment = dict(given["environment"])
        self.ended: int | None = None
        self.starts: list[float] = []

    def start(self) -> None:
        self.starts.append(float("inf"))  # lately, however long the test takes
        self.ended = None

    def restart(self, environment: dict[str, str]) -> None:
        self.environment = dict(environment)
        self.start()

    def tail(self) -> str:
        return "out of luck"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Acting]:
    """The processes of a machine, by their names, as they are started."""
    started: dict[str, Acting] = {}

    def child(name: str, command: Any, **given: Any) -> Acting:
        return started.setdefault(name, Acting(name, command, **given))

    monkeypatch.setattr("producer.local.machine.Child", child)
    monkeypatch.setattr("producer.local.machine.FIRST_ALONE_S", 0.0)
    return started


@pytest.fixture
def machine(tmp_path: Path, made: dict[str, Acting]) -> Machine:
    return Machine(tmp_path, {})


@pytest.fixture
def flower() -> Iterator[int]:
    """The port of a server that lets in who knows the password."""
    pair = b64encode(f"unmask:{PASSWORD}".encode()).decode()

    class Guarded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            knows = self.headers["Authorization"] == f"Basic {pair}"
            self.send_response(200 if knows else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, *_: Any) -> None:
            """Nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_what_the_first_item_needs_comes_first(machine: Machine, made: dict[str, Acting]) -> None:
    machine.start()
    assert list(made) == ["sweep", "cpu"]
    machine.check()
    assert list(made) == ["sweep", "cpu", "gpu", "flower"]


def test_who_asks_for_no_verdict_gets_no_classifier(
    machine: Machine, made: dict[str, Acting]
) -> None:
    machine.start(classify=False)
    machine.check()
    assert list(made) == ["sweep", "cpu", "flower"]


def test_flowers_address_is_said_once_and_only_of_ours(machine: Machine, flower: int) -> None:
    machine.start()
    machine.flower_url = f"http://unmask:another@127.0.0.1:{flower}"
    assert machine.check() == [], "that is the Flower of another scan"
    machine.flower_url = f"http://unmask:{PASSWORD}@127.0.0.1:{flower}"
    assert machine.check() == [f"Flower: {machine.flower_url}"]
    assert machine.check() == []


def test_what_ended_is_started_again_until_it_keeps_ending(
    machine: Machine, made: dict[str, Acting]
) -> None:
    machine.start()
    for _ in range(RESTARTS):
        made["cpu"].ended = -9
        assert "cpu ended with status -9; started again" in machine.check()
    made["cpu"].ended = -9
    with pytest.raises(KeepsEnding, match=r"(?s)the brake stopped .* cpu process .*out of luck"):
        machine.check()


def test_a_scan_goes_on_without_flower(machine: Machine, made: dict[str, Acting]) -> None:
    machine.start()
    machine.check()
    for _ in range(RESTARTS):
        made["flower"].ended = 1
        (note,) = machine.check()
        assert note == f"Flower ended; it starts again at {machine.flower_url}"
        assert machine.flower_url.endswith(made["flower"].environment["UNMASK_FLOWER_PORT"])
    made["flower"].ended = 1
    (note,) = machine.check()
    assert note.startswith("Flower does not start (see ")
    assert machine.check() == []


@pytest.mark.parametrize(
    ("asked", "cores", "size"), [(0, 8, 7), (0, 2, 1), (0, 1, 1), (0, None, 1), (12, 8, 12)]
)
def test_a_core_is_left_to_the_rest(asked: int, cores: int | None, size: int) -> None:
    assert pool_size(asked, cores) == size


@pytest.mark.parametrize(
    ("quota", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 64), (None, 64)]
)
def test_a_container_counts_its_share_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str | None, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    if quota is not None:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores(tmp_path / "cpu.max") == cores


def test_cores_that_a_process_may_not_run_on_are_not_counted(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert usable_cores(tmp_path / "no-quota") == 1
    finally:
        os.sched_setaffinity(0, allowed)
