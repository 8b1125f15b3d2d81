"""Ten million waiting items, the fast way: rows that `submit` would have written, by the database.

Their digests rise with the line instead of being hashes, which keeps the one index that is not read
here from being filled at random; hosts are numbers spread evenly. All other columns, indexes and
the running count are as `submit` leaves them; indexes that can be are made afterwards, then
statistics are gathered.
"""

from sqlalchemy import text

from bench.backlog.databases import HOSTS
from infra.ledger import Ledger
from schemas.records import Campaign

STEP = 1_000_000

_SQLITE = """
WITH RECURSIVE line (n) AS (
    SELECT :first UNION ALL SELECT n + 1 FROM line WHERE n + 1 < :last
)
INSERT INTO item (campaign_id, digest, uri, host, trust, stamp, source, extra, submitted_at)
SELECT :campaign, CAST(printf('%016d', n) AS BLOB),
       printf('https://cdn-%d.example/media/%09d/video.mp4', n % :hosts, n),
       4611686018427387904 / :hosts * (n % :hosts) + 2, 'remote', '',
       printf('list.csv:%d', n), '{}', 1.7e9 FROM line
"""
_POSTGRESQL = """
INSERT INTO item (campaign_id, digest, uri, host, trust, stamp, source, extra, submitted_at)
SELECT :campaign, decode(lpad(to_hex(n), 32, '0'), 'hex'),
       'https://cdn-' || n % :hosts || '.example/media/' || lpad(n::text, 9, '0') || '/video.mp4',
       4611686018427387904 / :hosts * (n % :hosts) + 2, 'remote', '',
       'list.csv:' || n, '{}', 1.7e9 FROM generate_series(:first, :last - 1) AS n
"""
_TALLY = """
INSERT INTO tally (campaign_id, stage, outcome, slot, items, footage_s, cpu_seconds, gpu_seconds,
                   bytes_fetched)
VALUES (:campaign, 'waiting', '', 0, :items, 0, 0, 0, 0)
"""


def fill(ledger: Ledger, campaign: Campaign, items: int) -> None:
    is_sqlite = ledger.engine.dialect.name == "sqlite"
    later = _take_indexes(ledger, is_sqlite)
    for first in range(0, items, STEP):
        last = min(first + STEP, items)
        with ledger.engine.begin() as db:
            values = {"campaign": campaign.id, "first": first, "last": last, "hosts": HOSTS}
            db.execute(text(_SQLITE if is_sqlite else _POSTGRESQL), values)
    with ledger.engine.begin() as db:
        db.execute(text(_TALLY), {"campaign": campaign.id, "items": items})
    for statement in later:
        with ledger.engine.begin() as db:
            db.execute(text(statement))
    _settle(ledger, is_sqlite)


def _take_indexes(ledger: Ledger, is_sqlite: bool) -> list[str]:
    """Dropped; what makes them again is returned."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('item', 'move')"
        if is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('item', 'move') "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    )
    with ledger.engine.begin() as db:
        found = list(db.execute(text(query)))
        for name, _ in found:
            db.execute(text(f"DROP INDEX {name}"))
    return [str(statement) for _, statement in found]


def _settle(ledger: Ledger, is_sqlite: bool) -> None:
    """What a database does by itself in the hours that ten million lines take to come in."""
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        if is_sqlite:
            db.exec_driver_sql("COMMIT")
            db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            db.exec_driver_sql("VACUUM ANALYZE item")
            db.exec_driver_sql("VACUUM ANALYZE move")
            db.exec_driver_sql("CHECKPOINT")
