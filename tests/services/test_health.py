"""Health checks fail when a service does not serve, whatever its process looks like.

That of a worker without its broker is in tests/chaos/test_health.py.
"""

import socket
from types import SimpleNamespace
from typing import Any

import pytest

import settings
from infra.ledger import Ledger
from producer.local import redis_server
from tasks import names
from workers import health


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
