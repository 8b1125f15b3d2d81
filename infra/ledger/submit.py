"""Lines of a source become items, in bulk, each once."""

import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from infra.hosts import host_number
from infra.ledger.campaigns import take_more
from infra.ledger.clock import now
from infra.ledger.moves import Amount, add
from schemas.records import NewItem
from schemas.stages import Stage

#: Items in one transaction: large enough for speed, small enough that others get their turn.
CHUNK = 10_000
#: The first chunk is one line, so that work begins with it; the next are so many times larger.
GROWTH = 10
#: A slow source is not waited for until a chunk is full.
PATIENCE_S = 0.5
#: Lists as short as this change no plan.
FEW = 500
DIGEST_BYTES = 16

COLUMNS = ("digest", "uri", "host", "trust", "stamp", "source", "extra")

_SQLITE_ITEMS = """
INSERT INTO item (campaign_id, digest, uri, host, trust, stamp, source, extra, submitted_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (campaign_id, digest) DO NOTHING
"""
#: One table for each transaction, written without a log.
_ARRIVED = """
CREATE TEMPORARY TABLE arrived (
    digest bytea, uri text, host bigint, trust text, stamp text, source text, extra text
) ON COMMIT DROP
"""
_COPY = f"COPY arrived ({', '.join(COLUMNS)}) FROM STDIN"
_POSTGRESQL = """
INSERT INTO item (campaign_id, digest, uri, host, trust, stamp, source, extra, submitted_at)
SELECT :campaign, digest, uri, host, trust, stamp, source, CAST(extra AS json), :now
FROM arrived ORDER BY ctid
ON CONFLICT (campaign_id, digest) DO NOTHING
"""
#: What the text form of COPY would take for an end of a field or a line.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

Line = tuple[bytes, str, int, str, str, str, str]


def chunks(items: Iterable[NewItem]) -> Iterator[list[Line]]:
    """The lines, ready to be written, in groups of one transaction each."""
    chunk: list[Line] = []
    size, since = 1, time.monotonic()
    try:
        for line in map(_line, items):
            chunk.append(line)
            if len(chunk) >= size or time.monotonic() > since + PATIENCE_S:
                yield chunk
                chunk, size = [], min(CHUNK, size * GROWTH)
                since = time.monotonic()
    except Exception:
        # The good lines before a broken source stay.
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def insert(db: Connection, campaign: int, chunk: list[Line]) -> int:
    """How many of them were new."""
    # Alone: two producers with overlapping lists would wait for each other's lines in a ring.
    take_more(db, campaign, "submit")
    new = (_sqlite if db.dialect.name == "sqlite" else _postgresql)(db, campaign, chunk)
    if new:
        add(db, {(campaign, Stage.WAITING, ""): Amount(items=new)})
    return new


def changes_plans(number: int, size: int) -> bool:
    """Whenever the backlog of this list has doubled."""
    return number & (number - 1) == 0 and size > FEW


def gather_statistics(db: Connection) -> None:
    """PostgreSQL would plan for an empty table until it gathers them by itself, a minute later.

    SQLite is told which index to take.
    """
    if db.dialect.name == "postgresql":
        db.execute(text("ANALYZE item"))


def digest(uri: str, stamp: str) -> bytes:
    """What makes a line the same line."""
    return hashlib.blake2b(f"{uri}\0{stamp}".encode(), digest_size=DIGEST_BYTES).digest()


def _line(item: NewItem) -> Line:
    extra = json.dumps(_plain(item.extra), default=str) if item.extra else "{}"
    mark = digest(item.uri, item.stamp)
    host = host_number(item.uri)
    return mark, item.uri, host, item.trust.value, item.stamp, item.source, extra


def _plain(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON has no word for becomes null."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in extra.items()
    }


def _sqlite(db: Connection, campaign: int, chunk: list[Line]) -> int:
    moment = db.execute(select(now())).scalar_one()
    lines = [(campaign, *line, moment) for line in chunk]
    return db.exec_driver_sql(_SQLITE_ITEMS, lines).rowcount


def _postgresql(db: Connection, campaign: int, chunk: list[Line]) -> int:
    db.execute(text(_ARRIVED))
    _copy(db, "".join(map(_copied, chunk)))
    moment = db.execute(select(now())).scalar_one()
    return db.execute(text(_POSTGRESQL), {"campaign": campaign, "now": moment}).rowcount


def _copy(db: Connection, lines: str) -> None:
    """Past SQLAlchemy, which knows no COPY; what goes wrong looks as if it had come through it."""
    import psycopg

    driver: Any = db.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(lines)
    except psycopg.Error as error:
        raise DBAPIError.instance(
            _COPY, None, error, psycopg.Error, connection_invalidated=driver.closed
        ) from error


def _copied(line: Line) -> str:
    mark, uri, host, trust, stamp, source, extra = line
    rest = f"{uri}\t{host}\t{trust}\t{stamp}\t{source}\t{extra}"
    if "\\" in rest or "\n" in rest or "\r" in rest or rest.count("\t") != len(COLUMNS) - 2:
        fields = (uri, str(host), trust, stamp, source, extra)
        rest = "\t".join(field.translate(_ESCAPES) for field in fields)
    return f"\\\\x{mark.hex()}\t{rest}\n"
