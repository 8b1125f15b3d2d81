"""Real processes on stores of their own: a file and a folder, or PostgreSQL and S3."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

import settings
from producer.local import Machine
from tests import servers
from tests.e2e.processes import of_marker

ROOT = Path(__file__).resolve().parents[2]

#: Each runner of tests has ports of its own for Flower, or two fleets would reach for one.
FLOWER_PORT = 5600 + 50 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

#: A scan of a handful of items, on two slow cores, with everything to load.
SCAN_WITHIN_S = 240


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A checkout seen as a user sees it: a command line, a state folder, results."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def marker(self) -> str:
        """Stands in the environment of every process that belongs to this test."""
        return str(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
        own = {
            "TEST_MARKER": self.marker,
            "PYTHONUNBUFFERED": "1",
            "UNMASK_FLOWER_PORT": str(FLOWER_PORT),
        }
        return kept | own | dict(self.extra)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def database(self) -> str:
        return self.extra.get("UNMASK_DATABASE_URL") or f"sqlite:///{self.state / 'unmask.db'}"

    @property
    def store(self) -> str:
        return self.extra.get("UNMASK_STORE_URL") or str(self.state / "objects")

    def but(self, **extra: str) -> "Bench":
        """The same under other settings."""
        return replace(self, extra={**self.extra, **extra})

    def count(self, sql: str) -> int:
        """A number from its ledger; 0 while there is none."""
        return next((int(row[0]) for row in self.ask(sql)), 0)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        if self.database.startswith("sqlite") and not (self.state / "unmask.db").exists():
            return []
        address = self.database.replace("postgresql://", "postgresql+psycopg://")
        try:
            with create_engine(address, poolclass=NullPool).connect() as db:
                return [tuple(row) for row in db.execute(text(sql))]
        except (OperationalError, ProgrammingError):
            return []

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "producer", *arguments, "--state", str(self.state)]

    def run(
        self, *arguments: str, stdin: bytes = b"", within_s: float = SCAN_WITHIN_S
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            input=stdin.decode(),
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        print(done.stdout, done.stderr, sep="\n")
        return done

    def scan(
        self, media: str | Path, *options: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        return self.run("scan", str(media), "--out", str(self.results), *options, stdin=stdin)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        with (self.folder / "stdout").open("w") as out, (self.folder / "stderr").open("w") as err:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )


def results(bench: Bench) -> list[dict[str, Any]]:
    lines = (bench.results / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


ONE_MACHINE, SHARED = "sqlite and a folder", "postgresql and s3"
STORES = (ONE_MACHINE, SHARED)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with servers.postgresql() as address:
        yield address


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with servers.s3() as endpoint:
        yield endpoint


@contextmanager
def bench_on(stores: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Whatever the test leaves running is killed, and told."""
    with ExitStack() as stack:
        bench = Bench(folder=folder, extra=_shared(request, stack) if stores == SHARED else {})
        yield bench
        left = of_marker(bench.marker)
        for process in left:
            process.kill()
        assert not left, f"processes left behind: {[process.command for process in left]}"


def _shared(request: pytest.FixtureRequest, stack: ExitStack) -> dict[str, str]:
    """A database and a bucket of its own on the session's servers."""
    endpoint: str = request.getfixturevalue("s3_server")
    database = servers.database(request.getfixturevalue("postgresql_server"))
    return servers.S3_ENVIRONMENT | {
        "UNMASK_DATABASE_URL": stack.enter_context(database),
        "UNMASK_STORE_URL": f"s3://{servers.make_bucket(endpoint)}/prod",
        "UNMASK_S3_ENDPOINT_URL": endpoint,
        "UNMASK_S3_PATH_STYLE": "true",
    }


@pytest.fixture
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """SQLite and a folder: the one-machine default."""
    with bench_on(ONE_MACHINE, tmp_path, request) as bench:
        yield bench


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """PostgreSQL and S3, as a fleet has it."""
    with bench_on(SHARED, tmp_path, request) as bench:
        yield bench


@pytest.fixture(params=STORES)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Once as one machine has it, once as a fleet has it."""
    with bench_on(request.param, tmp_path, request) as bench:
        yield bench


@contextmanager
def fleet_of(bench: Bench) -> Iterator[Machine]:
    """The processes of a machine on the stores of the bench, without a producer that waits."""
    given = settings.load(
        database_url=bench.database, store_url=bench.store, flower_port=FLOWER_PORT
    )
    child = settings.environment(given) | dict(bench.extra)
    child |= {"TEST_MARKER": bench.marker, "PYTHONPATH": str(ROOT)}
    bench.state.mkdir(exist_ok=True)
    with Machine(bench.state, child) as machine:
        yield machine
