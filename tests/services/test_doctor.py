"""What `producer doctor` says of real services, well and ill."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import create_engine, text

import settings
from infra.doorbell.refusals import record
from infra.ledger import migrate, open_ledger
from infra.sandbox import in_force
from producer.campaigns import Wanted, choose
from producer.doctor import (
    Finding,
    broker,
    database,
    device,
    disk,
    examine,
    fleet,
    models,
    render,
    room,
    storage,
    to_json,
)
from producer.doctor.finding import bad, note, well
from producer.local import redis_server
from schemas.records import NewItem, Trust
from settings import Settings
from tasks import names
from tests import servers
from unmask.errors import Unusable

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "hunter2-and-more"
WORKER_UP_WITHIN_S = 60

Check = Callable[[Settings], Iterator[Finding]]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no file of the machine that runs the tests."""
    for name in os.environ:
        if name.upper().startswith("UNMASK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def s3(s3_credentials: None) -> Iterator[str]:
    with servers.s3() as endpoint:
        yield endpoint


def found(check: Check, **given: Any) -> list[Finding]:
    given.setdefault("models_dir", ROOT / "models")
    return list(examine(settings.load(**given), {"it": check}))


def only(check: Check, **given: Any) -> Finding:
    (finding,) = found(check, **given)
    return finding


def no_password_in(findings: list[Finding], url: str) -> None:
    password = urlsplit(url).password
    assert password
    assert password not in str(findings)


class TestRedis:
    def test_well(self, redis_url: str) -> None:
        findings = found(broker.check, redis_url=redis_url)
        assert [one.ok for one in findings] == [True, True]
        assert f"127.0.0.1:{urlsplit(redis_url).port}" in findings[0].says
        assert "wants a password" in findings[0].says
        no_password_in(findings, redis_url)

    def test_wrong_password(self, redis_url: str) -> None:
        port = urlsplit(redis_url).port
        finding = only(broker.check, redis_url=f"redis://:{PASSWORD}@127.0.0.1:{port}/0")
        assert finding.ok is False
        assert "correct the password in UNMASK_REDIS_URL" in finding.mend
        assert PASSWORD not in str(finding)

    def test_messages_of_strangers_are_told(self, redis_url: str) -> None:
        with redis.Redis.from_url(redis_url) as client:
            record(client, queue="cpu", kind="not JSON", size=5)
            record(client, queue="gpu", kind="too large", size=5)
        told = found(broker.check, redis_url=redis_url)[-1]
        assert (told.what, told.ok) == ("Redis messages", None)
        assert "2 were refused" in told.says
        assert "1 not JSON, 1 too large; the last on gpu, 20" in told.says

    def test_nobody_there(self) -> None:
        port = redis_server.free_port()
        finding = only(broker.check, redis_url=f"redis://:{PASSWORD}@127.0.0.1:{port}/0")
        assert finding.ok is False
        assert f"127.0.0.1:{port} does not answer" in finding.says
        assert "UNMASK_REDIS_URL" in finding.mend
        assert PASSWORD not in str(finding)

    def test_an_evicting_one(self, redis_url: str) -> None:
        with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        _, eviction = found(broker.check, redis_url=redis_url)
        assert eviction.ok is False
        assert "allkeys-lru" in eviction.says
        assert "maxmemory-policy noeviction" in eviction.mend

    def test_a_full_one(self, redis_url: str) -> None:
        with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"])
        memory = found(broker.check, redis_url=redis_url)[-1]
        assert (memory.what, memory.ok) == ("Redis memory", False)
        assert "maxmemory" in memory.mend

    def test_open_to_all_on_this_machine_is_worth_a_word(self, redis_url: str) -> None:
        access = found(broker.check, redis_url=opened(redis_url))[0]
        assert access.ok is None
        assert "without a password" in access.says

    def test_open_to_all_on_a_network_is_wrong(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(broker, "_is_local", lambda _client: False)
        access = found(broker.check, redis_url=opened(redis_url))[0]
        assert access.ok is False
        assert "requirepass" in access.mend

    def test_an_old_one(self, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broker, "OLDEST_MAJOR", 99)
        access = found(broker.check, redis_url=redis_url)[0]
        assert access.ok is False
        assert "99 or newer" in access.mend

    def test_a_user_who_may_not_ask(self, redis_url: str) -> None:
        with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
            client.execute_command("ACL", "SETUSER", "poor", "on", f">{PASSWORD}", "+ping")
        port = urlsplit(redis_url).port
        finding = only(broker.check, redis_url=f"redis://poor:{PASSWORD}@127.0.0.1:{port}/0")
        assert finding.ok is False
        assert "INFO" in finding.mend

    def test_a_port_that_is_none(self) -> None:
        assert only(broker.check, redis_url="redis://127.0.0.1:redis/0").ok is False

    def test_none_is_named_so_scan_brings_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broker, "answers", lambda _url: False)
        finding = only(broker.check)
        assert finding.ok is True
        assert redis_server.server_program() in finding.says

    def test_none_is_named_and_there_is_none_to_bring(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nowhere() -> str:
            raise Unusable("no redis-server: install Redis")

        monkeypatch.setattr(broker, "answers", lambda _url: False)
        monkeypatch.setattr(redis_server, "server_program", nowhere)
        finding = only(broker.check)
        assert (finding.ok, finding.says) == (False, "no redis-server: install Redis")


def opened(url: str) -> str:
    """The same server, which no longer wants a password."""
    with redis.Redis.from_url(servers.redis_admin(url)) as client:
        client.config_set("requirepass", "")
    return f"redis://127.0.0.1:{urlsplit(url).port}/0"


class TestLedger:
    def test_well_on_sqlite(self, tmp_path: Path) -> None:
        address = f"sqlite:///{tmp_path / 'unmask.db'}"
        migrate(address)
        assert only(database.check, database_url=address).ok is True

    def test_not_there_yet_is_no_fault_on_sqlite(self, tmp_path: Path) -> None:
        address = f"sqlite:///{tmp_path / 'unmask.db'}"
        finding = only(database.check, database_url=address)
        assert finding.ok is None
        assert not (tmp_path / "unmask.db").exists()

    def test_a_newer_one(self, tmp_path: Path) -> None:
        address = f"sqlite:///{tmp_path / 'unmask.db'}"
        migrate(address)
        revised(address, "from-the-future")
        finding = only(database.check, database_url=address)
        assert finding.ok is False
        assert "newer version" in finding.says
        assert "update this program" in finding.mend

    def test_postgresql_empty_then_migrated(self, postgresql_server: str) -> None:
        with servers.database(postgresql_server) as address:
            finding = only(database.check, database_url=address)
            assert finding.ok is False
            assert "producer migrate" in finding.mend
            migrate(address)
            assert only(database.check, database_url=address).ok is True

    def test_postgresql_that_cannot_bound_a_transaction(
        self, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers.database(postgresql_server) as address:
            migrate(address)
            monkeypatch.setattr("infra.ledger.patience.BOUNDS_TRANSACTIONS", 1000)
            findings = found(database.check, database_url=address)
        assert [one.ok for one in findings] == [True, None]
        assert "PostgreSQL 17" in findings[-1].mend

    def test_postgresql_without_that_database(self, postgresql_server: str) -> None:
        with servers.database(postgresql_server) as address:
            gone = address
        finding = only(database.check, database_url=gone)
        assert finding.ok is False
        assert "does not exist" in finding.says

    def test_postgresql_away(self) -> None:
        port = redis_server.free_port()
        address = f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/unmask"
        finding = only(database.check, database_url=address)
        assert finding.ok is False
        assert "UNMASK_DATABASE_URL" in finding.mend
        assert PASSWORD not in str(finding)


def revised(address: str, revision: str) -> None:
    engine = create_engine(address)
    with engine.begin() as db:
        db.execute(text("update alembic_version set version_num = :it"), {"it": revision})
    engine.dispose()


class TestStore:
    def test_a_folder(self, tmp_path: Path) -> None:
        assert only(storage.check, store_url=str(tmp_path / "objects")).ok is True

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "objects").write_text("in the way")
        finding = only(storage.check, store_url=str(tmp_path / "objects"))
        assert finding.ok is False
        assert str(tmp_path / "objects") in finding.says

    def test_a_bucket_there_and_not_there(self, s3: str) -> None:
        place = {"s3_endpoint_url": s3, "s3_path_style": True}
        bucket = servers.make_bucket(s3)
        assert only(storage.check, store_url=f"s3://{bucket}/clips", **place).ok is True
        finding = only(storage.check, store_url="s3://no-such-bucket", **place)
        assert finding.ok is False
        assert "NoSuchBucket" in finding.says
        assert "create the bucket" in finding.mend

    def test_nobody_gave_credentials(self, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in servers.S3_ENVIRONMENT:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, "/nowhere")
        finding = only(storage.check, store_url="s3://clips", s3_endpoint_url=s3)
        assert finding.ok is False
        assert "no S3 credentials" in finding.says
        assert "AWS_ACCESS_KEY_ID" in finding.mend


class TestModels:
    def test_the_shipped_ones_are_whole(self) -> None:
        findings = found(models.check, device="cpu")
        assert {one.what for one in findings} >= {"model lite"}
        assert not [one for one in findings if one.ok is False]

    def test_an_untrained_one_says_so(self, tmp_path: Path) -> None:
        shelf = shelf_with_lite(tmp_path, untrained=True)
        (finding,) = found(models.check, device="cpu", models_dir=shelf)
        assert finding.ok is None
        assert "untrained" in finding.says

    def test_an_altered_file(self, tmp_path: Path) -> None:
        shelf = shelf_with_lite(tmp_path)
        (shelf / "lite" / "golden.png").write_bytes(b"other")
        (finding,) = found(models.check, device="cpu", models_dir=shelf)
        assert finding.ok is False
        assert "golden.png" in finding.says

    def test_weights_are_missed_only_where_something_reads_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The CPU image has none."""
        shelf = shelf_with_lite(tmp_path)
        for weights in (shelf / "lite").glob("*.safetensors"):
            weights.unlink()
        assert only(models.check, device="cpu", models_dir=shelf).ok is False
        monkeypatch.setitem(sys.modules, "torch", None)
        finding = only(models.check, device="cpu", models_dir=shelf)
        assert finding.ok is True
        assert "only described" in finding.says

    def test_a_description_that_is_none(self, tmp_path: Path) -> None:
        shelf = shelf_with_lite(tmp_path)
        (shelf / "lite" / "model.json").write_text("{")
        (finding,) = found(models.check, device="cpu", models_dir=shelf)
        assert finding.ok is False

    def test_no_shelf(self, tmp_path: Path) -> None:
        finding = only(models.check, device="cpu", models_dir=tmp_path / "nowhere")
        assert finding.ok is False
        assert "lite" in finding.says
        assert "UNMASK_MODELS_DIR" in finding.mend


def shelf_with_lite(folder: Path, **changes: object) -> Path:
    shutil.copytree(ROOT / "models" / "lite", folder / "shelf" / "lite")
    path = folder / "shelf" / "lite" / "model.json"
    said = json.loads(path.read_text()) | changes
    if said["untrained"]:
        said |= {"calibration": None, "thresholds": None}
    path.write_text(json.dumps(said))
    return folder / "shelf"


class TestSandbox:
    def test_a_good_file_passes_and_the_locks_are_named(self) -> None:
        locks, decoding = found(room.check)
        assert locks.ok is all(in_force().values())
        assert "no network" in locks.says
        assert decoding.ok is True

    def test_an_open_lock_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "in_force", lambda: {"no network": False, "no file": True})
        locks = found(room.check)[0]
        assert (locks.ok, locks.says) == (False, "not in force: no network")
        assert "seccomp" in locks.mend

    def test_limits_that_refuse_everything(self) -> None:
        decoding = found(room.check, media_max_pixels=100)[1]
        assert decoding.ok is False
        assert "a good video is refused" in decoding.says


class TestClassifier:
    def test_on_the_cpu(self) -> None:
        finding = only(device.check, device="cpu")
        assert finding.ok is True
        assert "uses the CPU" in finding.says

    def test_no_card(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        finding = only(device.check, device="cuda")
        assert finding.ok is False
        assert "UNMASK_DEVICE" in finding.mend

    def test_a_card_that_torch_cannot_use(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        monkeypatch.setattr(device, "GPU_DEVICE", tmp_path)
        finding = only(device.check)
        assert finding.ok is False
        assert "NVIDIA" in finding.says

    @pytest.mark.parametrize(("wanted", "ok"), [("auto", None), ("cpu", None), ("cuda:1", False)])
    def test_without_torch(
        self, monkeypatch: pytest.MonkeyPatch, wanted: str, ok: bool | None
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        finding = only(device.check, device=wanted)
        assert finding.ok is ok
        assert "torch is not installed" in finding.says

    def test_a_machine_that_computes_wrongly(self, tmp_path: Path) -> None:
        said = json.loads((ROOT / "models" / "lite" / "model.json").read_text())
        golden = said["golden"] | {"margin": said["golden"]["margin"] + 1}
        shelf = shelf_with_lite(tmp_path, golden=golden)
        finding = only(device.check, device="cpu", models_dir=shelf)
        assert finding.ok is False
        assert "computes wrongly" in finding.says


class TestDisk:
    def test_each_disk_is_told_once(self, tmp_path: Path) -> None:
        findings = found(
            disk.check,
            database_url=f"sqlite:///{tmp_path / 'a' / 'unmask.db'}",
            store_url=str(tmp_path / "b"),
        )
        assert [one.what for one in findings] == ["disk, kept", "disk, downloads"]
        assert not (tmp_path / "a").exists()

    @pytest.mark.parametrize(("free_gib", "ok"), [(0.5, False), (2, None), (5, True)])
    def test_room_for_downloads(
        self, monkeypatch: pytest.MonkeyPatch, free_gib: float, ok: bool | None
    ) -> None:
        usage = SimpleNamespace(free=int(free_gib * disk.GIB))
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        downloads = found(disk.check, download_max_bytes=4 * disk.GIB)[-1]
        assert downloads.ok is ok
        assert f"{free_gib:.1f} GiB free" in downloads.says

    def test_a_store_elsewhere_needs_no_disk_here(self) -> None:
        findings = found(
            disk.check, database_url="postgresql://host/db", store_url="s3://bucket/clips"
        )
        assert [one.what for one in findings] == ["disk, downloads"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A Redis and a ledger that workers could share."""

    redis_url: str
    database_url: str

    def asked(self) -> dict[str, Finding]:
        findings = found(fleet.check, redis_url=self.redis_url, database_url=self.database_url)
        return {one.what: one for one in findings}

    def submit(self) -> None:
        ledger = open_ledger(self.database_url)
        shelf = ROOT / "models"
        options = choose(Wanted(), name="waiting", media="-", shelf=shelf, device="cpu")
        campaign = ledger.open_campaign(options)
        ledger.submit(campaign, [NewItem(uri="https://media.example/a.mp4", trust=Trust.REMOTE)])
        ledger.close()


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Place:
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    return Place(redis_url=redis_url, database_url=address)


@contextmanager
def cpu_worker(place: Place) -> Iterator[None]:
    variables = settings.environment(
        settings.load(
            redis_url=place.redis_url,
            database_url=place.database_url,
            models_dir=ROOT / "models",
            cpu_processes=1,
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "workers.cpu", "worker", "-n", "one@here"],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


class TestFleet:
    def test_at_rest_nothing_is_wrong(self, place: Place) -> None:
        told = place.asked()
        assert {what: one.ok for what, one in told.items()} == {
            "CPU workers": None,
            "GPU workers": None,
            "sweep": None,
        }

    def test_work_and_nobody_to_do_it(self, place: Place) -> None:
        place.submit()
        told = place.asked()
        assert told["CPU workers"].ok is False
        assert "1 item waits for one" in told["CPU workers"].says
        assert "celery -A workers.cpu worker" in told["CPU workers"].mend
        assert told["GPU workers"].ok is None
        assert told["sweep"].ok is False
        assert "workers.sweep" in told["sweep"].mend

    def test_a_worker_that_nobody_feeds_then_one_that_is_fed(self, place: Place) -> None:
        with cpu_worker(place):
            told = until_answered(place)
            assert told["CPU workers"] == well("CPU workers", "1 answers")
            assert told["GPU workers"].ok is None
            assert told["sweep"].ok is False
            lead(place)
            assert place.asked()["sweep"] == well("sweep", "led by somebody:1")

    def test_no_redis_to_ask(self, place: Place) -> None:
        dead = f"redis://127.0.0.1:{redis_server.free_port()}/0"
        finding = only(fleet.check, redis_url=dead, database_url=place.database_url)
        assert finding.ok is None

    def test_a_ledger_that_cannot_be_read_is_told_elsewhere(self, redis_url: str) -> None:
        nowhere = f"postgresql://me@127.0.0.1:{redis_server.free_port()}/unmask"
        findings = found(fleet.check, redis_url=redis_url, database_url=nowhere)
        assert [one.ok for one in findings] == [None, None, None]


def lead(place: Place) -> None:
    ledger = open_ledger(place.database_url)
    assert ledger.lead(names.SWEEP, "somebody:1", lease_s=60)
    ledger.close()


def until_answered(place: Place) -> dict[str, Finding]:
    end = time.monotonic() + WORKER_UP_WITHIN_S
    while not (told := place.asked())["CPU workers"].ok:
        assert time.monotonic() < end, "the worker never answered"
    return told


class TestReport:
    def test_a_check_that_breaks_is_a_finding_without_secrets(self) -> None:
        def broken(given: Settings) -> Iterator[Finding]:
            yield note("first", "told before it broke")
            raise RuntimeError(f"at {given.redis_url.get_secret_value()}\nin two lines \x1b[2J")

        first, second = found(broken, redis_url=f"redis://:{PASSWORD}@host/0")
        assert first == note("first", "told before it broke")
        assert (second.what, second.ok) == ("it", False)
        assert "RuntimeError: at redis://:***@host/0 in two lines" in second.says
        assert "\x1b" not in second.says

    def test_a_quoted_password_is_hidden_as_it_is_meant_too(self) -> None:
        def telling(given: Settings) -> Iterator[Finding]:
            yield bad("it", "the password is p@ss:word, written p%40ss%3Aword", "try p@ss:word")

        (finding,) = found(telling, redis_url="redis://:p%40ss%3Aword@host/0")
        assert finding == bad("it", "the password is ***, written ***", "try ***")

    @pytest.mark.parametrize(
        ("given", "text", "told"),
        [
            ({"redis_url": "redis://:x@host/0"}, "the sandbox, x or not", "the sandbox, x or not"),
            ({"redis_url": "redis://:x@host/0"}, "at redis://:x@host/0", "at redis://:***@host/0"),
            (
                {"database_url": "postgresql://xx:xx@host/xx"},
                "at postgresql://xx:xx@host/xx?password=xx&x=xxx",
                "at postgresql://xx:***@host/xx?password=***&x=xxx",
            ),
            (
                {"database_url": "postgresql://host/db?user=me&password=%40b"},
                "at host/db?user=me&password=%40b, as '@b', of user=me",
                "at host/db?user=me&password=***, as '***', of user=me",
            ),
            ({"flower_password": "abc"}, "no abc: password='abc'", "no abc: password='***'"),
            ({"flower_password": "abcd"}, "in xabcdx", "in x***x"),
        ],
    )
    def test_a_short_secret_is_hidden_where_it_is_one(
        self, given: dict[str, str], text: str, told: str
    ) -> None:
        def telling(_: Settings) -> Iterator[Finding]:
            yield bad("it", text)

        (finding,) = found(telling, **given)
        assert finding.says == told

    @pytest.mark.parametrize(
        "given",
        [
            {"redis_url": f"rediss://user:{PASSWORD}@[::1]:1/0"},
            {"database_url": f"postgresql://me:{PASSWORD}@host/db"},
            {"database_url": f"postgresql://host/db?user=me&password={PASSWORD}"},
            {"flower_password": PASSWORD},
            {"flower_password": f"with://{PASSWORD}"},
        ],
    )
    def test_no_secret_is_told(self, given: dict[str, str]) -> None:
        def telling(given_: Settings) -> Iterator[Finding]:
            yield bad("it", str([one.get_secret_value() for one in secrets_of(given_)]))

        (finding,) = found(telling, **given)
        assert "***" in finding.says
        assert PASSWORD not in finding.says

    def test_one_line_each(self) -> None:
        findings = [well("a", "word " * 100), note("b", "[red]text"), bad("c", "ill", "mend it")]
        lines = render(findings).splitlines()
        assert len(lines) == 3
        assert "[red]text" in lines[1]
        assert "ill" in lines[2]
        assert "mend it" in lines[2]

    def test_json(self) -> None:
        (line,) = to_json([bad("c", "ill", "mend it")]).splitlines()
        assert json.loads(line) == {"what": "c", "ok": False, "says": "ill", "mend": "mend it"}


def secrets_of(given: Settings) -> list[SecretStr]:
    passwords = [given.flower_password] if given.flower_password else []
    return [given.redis_url, given.database_url, *passwords]


class TestCommand:
    def doctor(self, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "producer", "doctor", "--json", "--state", str(folder)],
            cwd=ROOT,
            env=os.environ | {"UNMASK_DEVICE": "cpu"} | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def test_well(self, tmp_path: Path, redis_url: str) -> None:
        done = self.doctor(tmp_path / "state", UNMASK_REDIS_URL=redis_url)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        wrong = [one for one in told if one["ok"] is False and one["what"] != "sandbox"]
        assert not wrong
        assert done.returncode == int(any(one["ok"] is False for one in told))
        assert done.stderr == ""

    def test_ill(self, tmp_path: Path) -> None:
        url = f"redis://:{PASSWORD}@127.0.0.1:{redis_server.free_port()}/0"
        done = self.doctor(
            tmp_path / "state", UNMASK_REDIS_URL=url, UNMASK_MODELS_DIR=str(tmp_path)
        )
        told = {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}
        assert done.returncode == 1
        assert told["Redis"]["ok"] is False
        assert told["object storage"]["ok"] is True
        assert PASSWORD not in done.stdout + done.stderr
        assert done.stderr == ""
