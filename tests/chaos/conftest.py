"""A fleet on each database; `cut` marks what `make test` runs too."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from infra.ledger import migrate, open_ledger
from tests import servers
from tests.chaos.fleet import Fleet
from tests.chaos.redis_process import RedisProcess


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Without fsync: no power is cut here."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(servers.postgresql())
        except (ImportError, OSError) as error:
            servers.missing("PostgreSQL", error)
            return
        with psycopg.connect(address, autocommit=True) as db:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                db.execute(f"ALTER SYSTEM SET {name} = off")
            db.execute("SELECT pg_reload_conf()")
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path / 'unmask.db'}"
        else:
            server = request.getfixturevalue("postgresql_server")
            address = stack.enter_context(servers.database(server))
        migrate(address)
        yield address


@pytest.fixture
def redis_process(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path)
    process.start()
    yield process
    process.kill()


MakeFleet = Callable[..., Fleet]


@pytest.fixture
def fleet(tmp_path: Path, database: str, redis_process: RedisProcess) -> Iterator[Fleet]:
    """No process of it runs yet."""
    ledger = open_ledger(database)
    made = Fleet(folder=tmp_path, ledger=ledger, database_url=database, redis=redis_process)
    yield made
    made.close()
    ledger.close()
