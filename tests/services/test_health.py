"""Health checks fail when a service does not serve, whatever its process looks like.

Those of real processes are in tests/chaos/test_health.py.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import settings
from producer.local import redis_server
from tasks import names
from workers import health, sign


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
    monkeypatch.setattr("workers.app.make_app", lambda: app)
    assert health.main(["gpu"]) == 1
    assert questions == [(names.PULSE, [f"gpu@{socket.gethostname()}"])]


def test_a_sweep_is_well_after_a_round_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert health.main(["sweep"]) == 1
    assert "no sweep runs here" in capsys.readouterr().out
    one = sign.Sign()
    assert health.main(["sweep"]) == 1
    assert "has finished no round yet" in capsys.readouterr().out
    one.round_finished()
    assert health.main(["sweep"]) == 0
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + health.SILENT_S + 5)
    assert health.main(["sweep"]) == 1
    assert "has finished no round for 2" in capsys.readouterr().out
    one.take_away()
    assert not list(sign.last_rounds())


def test_what_a_killed_sweep_left_behind_is_nobodys_sign(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "from workers.sign import Sign; import os; Sign().round_finished(); os._exit(9)"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False
    )
    assert ended.returncode == 9
    assert len(list(tmp_path.glob("*/*"))) == 1
    assert health.main(["sweep"]) == 1


@pytest.mark.parametrize("what", ["flower", "exporter"])
def test_a_page_that_is_not_served_is_ill(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    port = redis_server.free_port()
    given = settings.load(flower_port=port, exporter_port=port, flower_password="hush-hush")
    monkeypatch.setattr("infra.resources.resources", lambda: SimpleNamespace(settings=given))
    assert health.main([what]) == 1


def test_what_it_does_not_know_is_wrong_usage() -> None:
    assert health.main(["toaster"]) == health.main([]) == 2
