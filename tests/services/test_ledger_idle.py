"""Connections that lay idle are asked before they are used; those just used are not."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from infra.ledger import Ledger, idle, open_ledger


@pytest.fixture
def ledger(migrated_postgresql: str) -> Iterator[Ledger]:
    with closing(open_ledger(migrated_postgresql)) as opened:
        opened.campaigns()
        yield opened


@pytest.fixture
def pings(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    seen: list[object] = []
    ping = ledger.engine.dialect.do_ping

    def counted(connection: Any) -> bool:
        seen.append(connection)
        return ping(connection)

    monkeypatch.setattr(ledger.engine.dialect, "do_ping", counted)
    return seen


def test_a_connection_in_use_is_not_asked(ledger: Ledger, pings: list[object]) -> None:
    for _ in range(3):
        ledger.campaigns()
    assert pings == []


def test_a_connection_that_died_idle_is_made_anew(
    ledger: Ledger,
    pings: list[object],
    migrated_postgresql: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idle, "ASKED_AFTER_S", -1.0)
    with psycopg.connect(migrated_postgresql, autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'unmask'"
        ).fetchall()
    assert ended == [(True,)]
    ledger.campaigns()
    assert len(pings) == 1
