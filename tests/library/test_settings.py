"""Settings: a mistake names its variable, and a child process gets the same ones."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from settings import ELSEWHERE, ORDER, Settings, environment, load
from unmask.errors import Unusable

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "settings.md"
EXAMPLE = ROOT / ".env.example"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no file of the machine that runs the tests."""
    for name in os.environ:
        if name.upper().startswith("UNMASK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load()


def wrong(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(Unusable) as caught:
        given(monkeypatch, **variables)
    return str(caught.value)


def test_everything_has_a_default() -> None:
    assert load().window_items == 200


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(monkeypatch, UNMASK_LEASE_S="90", UNMASK_STORE_URL="s3://bucket/clips")
    assert (found.lease_s, found.store_url) == (90, "s3://bucket/clips")


def test_the_file_is_read_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = ["# ours", "UNMASK_LEASE_S=90", "UNMASK_LOG_LEVEL='DEBUG'", "SOMEBODY_ELSES=1"]
    (tmp_path / ".env").write_text("\n".join(lines))
    found = given(monkeypatch, UNMASK_LOG_LEVEL="ERROR")
    assert (found.lease_s, found.log_level) == (90, "ERROR")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, UNMASK_FLOWER_PASSWORD="").flower_password is None


def test_the_example_is_read_with_and_without_what_it_leaves_out(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    (tmp_path / ".env").write_text(text)
    assert not load().model_fields_set, "a copy as it is sets nothing for the checkout"
    (tmp_path / ".env").write_text(re.sub(r"^#(?=UNMASK_)", "", text, flags=re.MULTILINE))
    found = load()
    assert (found.device, found.s3_source_buckets) == ("cuda:0", ("media", "more-media"))
    assert found.store_url == "s3://unmask-clips/prod"
    assert len(found.model_fields_set) == text.count("UNMASK_")


def test_what_others_read_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ELSEWHERE:
        assert f"`{name}`" in PAGE.read_text()
        monkeypatch.setenv(name, "/somewhere")
    load()


class TestMistakes:
    def test_a_mistyped_name_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "UNMASK_REDIS_ULR" in wrong(monkeypatch, UNMASK_REDIS_ULR="redis://x")

    def test_in_any_case_of_letters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "unmask_redis_ulr" in wrong(monkeypatch, unmask_redis_ulr="redis://x")

    def test_in_the_file_too(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("UNMASK_REDIS_ULR=redis://x\n")
        assert "UNMASK_REDIS_ULR" in wrong(monkeypatch)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("UNMASK_LEASE_S", "soon"),
            ("UNMASK_LEASE_S", "0"),
            ("UNMASK_WINDOW_ITEMS", "-1"),
            ("UNMASK_FLOWER_PORT", "70000"),
            ("UNMASK_DOWNLOAD_PORTS", "80,http"),
            ("UNMASK_DOWNLOAD_PORTS", "0"),
            ("UNMASK_DOWNLOAD_PORTS", "[80"),
            ("UNMASK_DOWNLOAD_ALLOW_NETWORKS", "10.1.2.3/16"),
            ("UNMASK_DEVICE", "gpu"),
            ("UNMASK_DEVICE", "cuda:"),
            ("UNMASK_LOG_LEVEL", "LOUD"),
            ("UNMASK_S3_ENCRYPTION", "rot13"),
            ("UNMASK_S3_PATH_STYLE", "perhaps"),
            ("UNMASK_REDIS_URL", "127.0.0.1:6379"),
        ],
    )
    def test_a_bad_value_names_its_variable(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        said = wrong(monkeypatch, **{name: value})
        assert said.startswith(f"{name}: ")
        assert "Value error" not in said

    def test_each_of_several_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = wrong(monkeypatch, UNMASK_LEASE_S="soon", UNMASK_DEVICE="gpu")
        assert "UNMASK_LEASE_S: " in said
        assert "UNMASK_DEVICE: " in said

    def test_a_secret_is_not_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "hunter2" not in wrong(monkeypatch, UNMASK_REDIS_URL="http://:hunter2@host")

    def test_nor_shown_by_what_was_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = given(
            monkeypatch,
            UNMASK_REDIS_URL="redis://:hunter2@host",
            UNMASK_DATABASE_URL="postgresql://me:hunter2@host/db",
            UNMASK_FLOWER_PASSWORD="hunter2",
        )
        assert "hunter2" not in f"{found!r} {found}"

    def test_a_worker_says_it_in_one_line(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "workers.cpu", "worker"],
            cwd=ROOT,
            env=os.environ | {"UNMASK_LEASE_S": "soon"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert done.stderr.startswith("unmask: UNMASK_LEASE_S: ")
        assert len(done.stderr.splitlines()) == 1


class TestTimeLimitsAgree:
    @pytest.mark.parametrize(("smaller", "larger"), ORDER)
    def test_a_pair_the_wrong_way_round_names_both(
        self, monkeypatch: pytest.MonkeyPatch, smaller: str, larger: str
    ) -> None:
        too_much = int(getattr(load(), larger)) + 100_000
        monkeypatch.setenv(f"UNMASK_{smaller.upper()}", str(too_much))
        said = wrong(monkeypatch)
        assert f"UNMASK_{smaller.upper()}={too_much}" in said
        assert "must be below UNMASK_" in said
        assert "Value error" not in said

    def test_equal_is_not_below(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = {"UNMASK_EXTRACT_SOFT_LIMIT_S": "660", "UNMASK_EXTRACT_HARD_LIMIT_S": "660"}
        said = wrong(monkeypatch, **limits)
        assert "UNMASK_EXTRACT_SOFT_LIMIT_S=660 must be below UNMASK_EXTRACT_HARD_LIMIT_S=660" in (
            said
        )

    def test_fault_tests_may_break_the_rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = given(
            monkeypatch,
            UNMASK_VISIBILITY_TIMEOUT_S="4",
            UNMASK_ALLOW_CONTRADICTING_TIMEOUTS="true",
        )
        assert found.visibility_timeout_s == 4


class TestLists:
    @pytest.mark.parametrize("text", ["80,8080", "80, 8080,", "[80, 8080]"])
    def test_with_commas_or_as_json(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        assert given(monkeypatch, UNMASK_DOWNLOAD_PORTS=text).download_ports == (80, 8080)

    def test_of_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = given(monkeypatch, UNMASK_S3_SOURCE_BUCKETS="media,more-media")
        assert found.s3_source_buckets == ("media", "more-media")


class TestChildren:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {
                "redis_url": "rediss://:p%40ss,\"word'@host:1/2",
                "database_url": "postgresql://me:a=b#c$d@host/db",
                "flower_password": "spaces and \\ and ünïcode",
                "s3_source_buckets": ("one", 'two"quoted"'),
                "download_ports": (1, 65535),
                "download_allow_networks": ("10.0.0.0/8", "fd00::/8"),
                "models_dir": Path("/some where/models"),
                "s3_path_style": True,
                "s3_kms_key": "alias/clips",
                "sweep_every_s": 0.125,
                "download_max_bytes": 1 << 40,
                "device": "cuda:1",
            },
            {"s3_source_buckets": (), "download_ports": ()},
            {"visibility_timeout_s": 4, "allow_contradicting_timeouts": True},
        ],
    )
    def test_a_child_has_the_same_settings(
        self, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
    ) -> None:
        parent = load(**changes)
        assert given(monkeypatch, **environment(parent)) == parent

    def test_a_secret_reaches_it(self) -> None:
        parent = load(flower_password=SecretStr("hunter2"))
        assert environment(parent)["UNMASK_FLOWER_PASSWORD"] == "hunter2"


class TestThePage:
    """docs/reference/settings.md says what settings.py does."""

    def test_every_setting_stands_there_once_with_its_default(self) -> None:
        rows = re.findall(r"^\| `(UNMASK_\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
        assert dict(rows) == {
            name: shown(default) for name, default in defaults(Settings()).items()
        }
        assert len(rows) == len(dict(rows))


def defaults(found: Settings) -> dict[str, object]:
    return {f"UNMASK_{name.upper()}": value for name, value in found.model_dump().items()}


def shown(value: object) -> str:
    match value:
        case None | ():
            return "none"
        case SecretStr():
            return f"`{value.get_secret_value()}`"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`{','.join(map(str, value))}`"
        case float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"


@pytest.mark.parametrize("address", ["mysql://host/db", "what", "sqlite://"])
def test_no_ledger_can_be_there(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert "UNMASK_DATABASE_URL: say sqlite:///" in wrong(monkeypatch, UNMASK_DATABASE_URL=address)


@pytest.mark.parametrize("address", ["ftp://host/x", "s3:/bucket", "https://bucket/x"])
def test_no_such_kind_of_store(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    said = wrong(monkeypatch, UNMASK_STORE_URL=address)
    assert said == "UNMASK_STORE_URL: give a folder or s3://bucket/prefix"
