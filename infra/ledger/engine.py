"""From a database address to an engine. Nothing connects before the first use."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from infra.ledger import idle, patience, sqlite
from unmask.errors import Unusable

#: A peer that vanished without a word is noticed within about half a minute.
POSTGRESQL_CONNECT: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "unmask",
    # A frozen worker may hold rows in the middle of a transaction: the server ends it, and those
    # who wait for its rows give up before their own leases end.
    "options": "-c idle_in_transaction_session_timeout=20s -c lock_timeout=10s",
}
POOL_TIMEOUT_S = 30


def parse(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise Unusable(
            "the database address can't be read: it looks like sqlite:///state/unmask.db "
            "or postgresql://user:password@host/database"
        ) from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
        case other:
            raise Unusable(f"no ledger on {other}: use sqlite:///a/file.db or postgresql://…")


def path_of(url: URL) -> Path | None:
    """The file of a SQLite ledger."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def make_engine(url: URL) -> Engine:
    if path := path_of(url):
        sqlite.refuse_network(path)
        engine = create_engine(url, json_serializer=to_json, pool_timeout=POOL_TIMEOUT_S)
        sqlite.prepare(engine)
        return engine
    engine = create_engine(
        url,
        json_serializer=to_json,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={**POSTGRESQL_CONNECT, **dict(url.query)},
    )
    patience.prepare(engine)
    idle.prepare(engine)
    return engine


def to_json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
