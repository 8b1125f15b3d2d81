"""A database server that takes everything and answers nothing."""

from contextlib import closing, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from infra.ledger import open_ledger, patience, patient_connection
from tests.chaos.proxy import Proxy, Wire
from tests.polling import until
from unmask.errors import TryAgain


def test_a_silent_server_is_given_up_and_the_next_call_works(
    migrated_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(migrated_postgresql)
    folder = parse_qs(parts.query)["host"][0]
    with Proxy(f"{folder}/.s.PGSQL.5432") as wire:
        through = parts._replace(netloc=f"postgres@127.0.0.1:{wire.port}", query="")
        with closing(open_ledger(through.geturl())) as ledger:
            ledger.campaigns()
            monkeypatch.setattr(patient_connection, "ANSWER_WITHIN_S", 0.5)
            wire.wire = Wire.BLACK_HOLE
            with pytest.raises(TryAgain, match="database is away"):
                ledger.campaigns()
            wire.wire = Wire.WHOLE
            monkeypatch.undo()
            ledger.campaigns()


def test_who_vanishes_in_the_middle_of_a_batch_frees_what_it_holds(
    migrated_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server waits for the rest of the batch, which is not idleness."""
    monkeypatch.setattr(patience, "TRANSACTION_S", 1)
    with (
        closing(open_ledger(migrated_postgresql)) as ledger,
        psycopg.connect(migrated_postgresql, autocommit=True) as other,
    ):

        def is_free() -> bool:
            row = other.execute("SELECT pg_try_advisory_xact_lock(7)").fetchone()
            return row == (True,)

        batch: Any = ledger.engine.raw_connection().driver_connection
        with suppress(psycopg.OperationalError), batch.pipeline():
            batch.execute("SELECT pg_advisory_xact_lock(7)").fetchone()
            assert not is_free()
            until(is_free, 30)
