"""Ledgers on both databases, Redis and S3: private servers, gone with the test or its session."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from infra.ledger import Ledger, migrate, open_ledger
from schemas.tables import Table
from tests import servers

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """It gathers no statistics at moments of its own: what a test shows, it shows every time."""
    with servers.hasty_postgresql() as address:
        with psycopg.connect(address, autocommit=True) as db:
            db.execute("ALTER SYSTEM SET autovacuum = off")
            db.execute("SELECT pg_reload_conf()")
        yield address


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> Iterator[str]:
    with servers.database(postgresql_server) as address:
        migrate(address)
        yield address


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a ledger."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'unmask.db'}"
        return
    with servers.database(request.getfixturevalue("postgresql_server")) as address:
        yield address


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty ledger of this version."""
    if request.param == "sqlite":
        path = tmp_path / "unmask.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"
    shared: str = request.getfixturevalue("migrated_postgresql")
    names = ", ".join(Table.metadata.tables)
    with psycopg.connect(shared, autocommit=True) as db:
        db.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE".encode())
    return shared


@pytest.fixture
def ledger(address: str) -> Iterator[Ledger]:
    with closing(open_ledger(address)) as opened:
        yield opened


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with servers.redis(tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with servers.s3() as url:
        yield url


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in servers.S3_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
