"""Health checks fail when a service does not serve, whatever its process looks like."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import redis

import settings
from infra.ledger import Ledger, migrate
from producer.local import redis_server
from tasks import names
from tests import servers
from tests.polling import until
from workers import health

ROOT = Path(__file__).resolve().parents[2]
#: A check must answer before its own time is over: Compose gives it 20 s.
WITHIN_S = 20


def environment(folder: Path, redis_url: str) -> dict[str, str]:
    given = settings.load(
        redis_url=redis_url,
        database_url=f"sqlite:///{folder / 'unmask.db'}",
        store_url=str(folder / "objects"),
        cpu_processes=1,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
    programs = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return kept | settings.environment(given) | {"PATH": programs}


@contextmanager
def cpu_worker(folder: Path, variables: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """By the images' own entry point."""
    with (folder / "worker.log").open("wb") as out:
        worker = subprocess.Popen(
            ["sh", str(ROOT / "infra" / "docker" / "entrypoint"), "cpu", "--without-mingle"],
            env=variables,
            stdout=out,
            stderr=out,
        )
    try:
        yield worker
    finally:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(worker.pid).children(recursive=True):
                child.kill()
        worker.kill()
        worker.wait()


def asked(variables: dict[str, str], what: str = "cpu") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "workers.health", what],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_worker_is_well_only_while_it_answers_over_its_broker(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'unmask.db'}")
    with servers.redis(tmp_path) as url:
        variables = environment(tmp_path, url)
        code, said = asked(variables)
        assert (code, "does not answer over Redis" in said) == (1, True), "nobody is there"
        with cpu_worker(tmp_path, variables) as worker:
            until(lambda: asked(variables)[0] == 0, within_s=60)
            stop(url)
            code, said = asked(variables)
            assert code == 1, said
            assert "cpu does not serve" in said
            assert worker.poll() is None, "the process itself lives on"


def stop(url: str) -> None:
    with redis.Redis.from_url(servers.redis_admin(url)) as client, suppress(redis.ConnectionError):
        client.shutdown(nosave=True)


@pytest.mark.parametrize(
    ("answer", "serves"),
    [
        ({"open": 0, "still_s": 10_000.0}, True),
        ({"open": 3, "still_s": health.STUCK_S - 1}, True),
        ({"open": 3, "still_s": health.STUCK_S + 1}, False),
    ],
)
def test_a_gpu_worker_that_holds_items_and_does_not_move_is_ill(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], serves: bool
) -> None:
    monkeypatch.setattr(health, "_asked", lambda *_: answer)
    assert (health.main(["gpu"]) == 0) is serves


def test_a_gpu_worker_is_asked_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine's worker must not answer for this one."""
    questions: list[Any] = []

    def broadcast(question: str, **how: Any) -> list[Any]:
        questions.append((question, how["destination"]))
        return []

    app = SimpleNamespace(control=SimpleNamespace(broadcast=broadcast))
    monkeypatch.setattr(health, "make_app", lambda: app)
    assert health.main(["gpu"]) == 1
    assert questions == [(names.PULSE, [f"gpu@{socket.gethostname()}"])]


def test_a_sweep_is_well_while_somebody_leads(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    monkeypatch.setattr(health, "resources", lambda: SimpleNamespace(ledger=ledger))
    assert health.main(["sweep"]) == 1
    assert ledger.lead(names.SWEEP, "one", lease_s=60)
    assert health.main(["sweep"]) == 0


@pytest.mark.parametrize("what", ["flower", "exporter"])
def test_a_page_that_is_not_served_is_ill(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    port = redis_server.free_port()
    given = settings.load(flower_port=port, exporter_port=port, flower_password="hush-hush")
    monkeypatch.setattr(health, "resources", lambda: SimpleNamespace(settings=given))
    assert health.main([what]) == 1


def test_what_it_does_not_know_is_wrong_usage() -> None:
    assert health.main(["toaster"]) == health.main([]) == 2
