"""A database server that takes everything and answers nothing."""

from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.ledger import open_ledger, patience
from tests.chaos.proxy import Proxy, Wire
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
            monkeypatch.setattr(patience, "ANSWER_WITHIN_S", 0.5)
            wire.wire = Wire.BLACK_HOLE
            with pytest.raises(TryAgain, match="database is away"):
                ledger.campaigns()
            wire.wire = Wire.WHOLE
            monkeypatch.undo()
            ledger.campaigns()
