"""Empty ledgers on both databases."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from infra.ledger import Ledger, migrate, open_ledger
from schemas.records import Campaign, CampaignOptions, NewItem, Trust
from tests import servers
from unmask.spec import ScanSpec

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)
_SQLITE_SAFETY = ("journal_mode", "synchronous")
_POSTGRESQL_SAFETY = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def addresses(kind: str, *names: str) -> Iterator[tuple[str, ...]]:
    """Of migrated databases. PostgreSQL runs as its wheel sets it up, fsync and all."""
    if kind == SQLITE:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield _migrated(tuple(f"sqlite:///{Path(folder) / name}.db" for name in names))
        return
    with servers.postgresql() as server, ExitStack() as stack:
        yield _migrated(tuple(stack.enter_context(servers.database(server)) for _ in names))


def _migrated(found: tuple[str, ...]) -> tuple[str, ...]:
    for address in found:
        migrate(address)
    return found


@contextmanager
def ledgers(kind: str, *names: str) -> Iterator[tuple[Ledger, ...]]:
    with addresses(kind, *names) as found:
        opened = tuple(open_ledger(address) for address in found)
        try:
            print(f"{kind}: {durability(opened[0])}", flush=True)
            yield opened
        finally:
            for ledger in opened:
                ledger.close()


def durability(ledger: Ledger) -> str:
    """What a commit waits for, as the database itself says it."""
    sqlite = ledger.engine.dialect.name == SQLITE
    ask, names = ("PRAGMA", _SQLITE_SAFETY) if sqlite else ("SHOW", _POSTGRESQL_SAFETY)
    with ledger.engine.connect() as db:
        found = {name: db.exec_driver_sql(f"{ask} {name}").scalar() for name in names}
    return ", ".join(f"{name} = {value}" for name, value in found.items())


@contextmanager
def ledger_at(address: str) -> Iterator[Ledger]:
    with closing(open_ledger(address)) as ledger:
        yield ledger


def campaign(ledger: Ledger, name: str = "bench") -> Campaign:
    options = CampaignOptions(name=name, model="m", model_digest="m", spec=ScanSpec())
    return ledger.open_campaign(options)


#: An archive that comes from so many hosts.
HOSTS = 1_000


def lines(count: int) -> Iterator[NewItem]:
    for number in range(count):
        uri = f"https://cdn-{number % HOSTS}.example/media/{number:09d}/video.mp4"
        yield NewItem(uri=uri, trust=Trust.REMOTE, source=f"list.csv:{number}")
