"""Faults 10 and 14: object storage that fails in every way, a disk that is full."""

import os
import resource
import subprocess
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from infra.ledger import migrate, open_ledger
from schemas.stages import Stage
from tests import servers
from tests.chaos import deeds, oracle
from tests.chaos.deeds import uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.redis_process import RedisProcess
from tests.chaos.stand_in import picture
from tests.chaos.storage import AWAY, FAULTS, FULL, STALLS, Misbehaviour, before
from unmask.model.shelf import find_bundle

ITEMS = 120
MIB = 1 << 20
#: Less than the ledger's log takes by the time that the quota is set.
QUOTA_BYTES = 32 << 10
#: A store that is back is used again long before its rest would be at its longest.
MENDED_WITHIN_S = 120.0
#: Long enough for a request that is never answered, and for another try.
LONG = {
    "UNMASK_DECODE_DEADLINE_S": "100",
    "UNMASK_EXTRACT_SOFT_LIMIT_S": "120",
    "UNMASK_EXTRACT_HARD_LIMIT_S": "130",
    "UNMASK_CLASSIFY_DEADLINE_S": "120",
    "UNMASK_VISIBILITY_TIMEOUT_S": "140",
}


@pytest.fixture
def storage(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaviour]:
    for name, value in servers.S3_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    stranger = picture(find_bundle("lite").spec, deeds.IMPOSTOR) * deeds.FRAMES
    with servers.s3() as real:
        behaviour = Misbehaviour(target=real, impostor=stranger)
        with before(behaviour) as address:
            fleet.store_url = f"s3://{servers.make_bucket(real)}/clips"
            fleet.extra |= {
                "UNMASK_S3_ENDPOINT_URL": address,
                "UNMASK_S3_PATH_STYLE": "true",
                "CHAOS_S3_URL": real,
            }
            yield behaviour


def test_a_store_that_fails_in_every_way(fleet: Fleet, storage: Misbehaviour) -> None:
    accepted = fleet.submit(map(uri, range(ITEMS)))
    storage.share, storage.stalls = 0.2, STALLS
    fleet.extra |= LONG
    fleet.start("sweep", "cpu", "gpu")
    fleet.until_some_ended(ITEMS // 2)
    storage.share = 0.0
    fleet.until_ended()
    assert set(storage.counts) == {*FAULTS, "stalled"}
    assert not (fleet.memory / "impostor-was-judged").exists(), "what nobody verified was judged"
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}


@pytest.mark.parametrize(
    ("database", "trouble"),
    [("sqlite", AWAY), ("sqlite", FULL), ("postgresql", FULL)],
    indirect=["database"],
)
def test_a_store_that_is_away_or_full(
    fleet: Fleet, storage: Misbehaviour, trouble: Collection[str]
) -> None:
    """No item is charged for it, and none is fetched over and over meanwhile."""
    accepted = fleet.submit(map(uri, range(ITEMS)))
    fleet.start("sweep", "cpu", "gpu")
    fleet.until_some_ended(10)
    storage.only, storage.share = trouble, 1.0
    fleet.wait(15)
    storage.share = 0.0
    fleet.until_ended(within_s=MENDED_WITHIN_S)
    oracle.check(fleet, accepted=accepted)
    assert set(storage.counts) == {*trouble}
    rows = list(fleet.ledger.results(CAMPAIGN))
    assert {(row.outcome, row.attempts) for row in rows} == {("unsure", 1)}
    fetched = [move for row in rows for move in fleet.ledger.history(row.item)]
    fetches = sum(move.new is Stage.EXTRACTING for move in fetched)
    assert fetches <= 2 * accepted, f"{accepted} items were fetched {fetches} times"


@dataclass
class Mounted:
    """A small disk of its own, for the ledger and the objects."""

    place: Path

    def fill(self, fleet: Fleet) -> None:
        with (self.place / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(MIB // 16))
            except OSError as error:
                print(f"the disk is full: {error}")

    def free(self, fleet: Fleet) -> None:
        (self.place / "filler").unlink()


@dataclass
class Quota:
    """No file of the fleet may grow past a size: the ledger can't be written."""

    place: Path

    def fill(self, fleet: Fleet) -> None:
        self._limit(fleet, QUOTA_BYTES)

    def free(self, fleet: Fleet) -> None:
        self._limit(fleet, resource.RLIM_INFINITY)

    def _limit(self, fleet: Fleet, most: int) -> None:
        """Main processes first: the children that they start from now on are bound too."""
        for name in fleet.children:
            for process in (fleet.process(name), *fleet.pool(name)):
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, hard))


@contextmanager
def mounted(place: Path) -> Iterator[Mounted]:
    """Only root may mount; anybody may have a quota."""
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk can't be mounted here: {error}")
    yield Mounted(place)
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(params=["mounted", "quota"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mounted | Quota]:
    place = tmp_path / "disk"
    place.mkdir()
    with mounted(place) if request.param == "mounted" else nullcontext(Quota(place)) as made:
        yield made


@pytest.fixture
def on_disk(tmp_path: Path, disk: Mounted | Quota, redis_process: RedisProcess) -> Iterator[Fleet]:
    address = f"sqlite:///{disk.place / 'unmask.db'}"
    migrate(address)
    with closing(open_ledger(address)) as ledger:
        made = Fleet(
            folder=tmp_path,
            ledger=ledger,
            database_url=address,
            redis=redis_process,
            store_url=str(disk.place / "objects"),
        )
        yield made
        made.close()


@pytest.fixture
def small_server_disk(postgresql_server: str, tmp_path: Path) -> Iterator[tuple[Mounted, str]]:
    """A disk, and the address of a database that PostgreSQL keeps on it."""
    # Its user can't enter the folders that pytest makes.
    with (
        tempfile.TemporaryDirectory(prefix="unmask-small-disk-") as folder,
        psycopg.connect(postgresql_server, autocommit=True) as db,
    ):
        place = Path(folder)
        place.chmod(0o711)
        with mounted(place) as disk:
            kept = place / "tablespace"
            kept.mkdir()
            (data,) = db.execute("SHOW data_directory").fetchone() or ("",)
            owner = Path(data).stat()
            os.chown(kept, owner.st_uid, owner.st_gid)
            name = f"small_{uuid.uuid4().hex}"
            making = sql.SQL("CREATE TABLESPACE {} LOCATION {}")
            db.execute(making.format(sql.Identifier(name), str(kept)))
            try:
                with servers.database(postgresql_server, tablespace=name) as address:
                    migrate(address)
                    yield disk, address
            finally:
                db.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))


def test_a_full_disk_of_the_database_server(
    small_server_disk: tuple[Mounted, str], tmp_path: Path, redis_process: RedisProcess
) -> None:
    """PostgreSQL refuses to write, and serves again without a restart."""
    disk, address = small_server_disk
    with closing(open_ledger(address)) as ledger:
        fleet = Fleet(folder=tmp_path, ledger=ledger, database_url=address, redis=redis_process)
        try:
            stops_and_goes_on(fleet, disk)
        finally:
            fleet.close()


def test_a_full_disk(on_disk: Fleet, disk: Mounted | Quota) -> None:
    stops_and_goes_on(on_disk, disk)


def stops_and_goes_on(fleet: Fleet, disk: Mounted | Quota) -> None:
    """All stops, and goes on when there is room again."""
    accepted = fleet.submit(map(uri, range(ITEMS)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.02")
    fleet.until_some_ended(10)
    disk.fill(fleet)
    fleet.wait(10)
    assert fleet.ended() < ITEMS
    assert "away" in fleet.log("cpu") + fleet.log("sweep")
    disk.free(fleet)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}
