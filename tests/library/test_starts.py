"""What a process loads at its start: what its settings do not ask for, each would pay for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SLOW = {"alembic", "boto3", "jinja2", "psycopg", "pyarrow"}
LOADED = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*({*sys.argv[2:]} & {*sys.modules}))
"""


def loaded(module: str, **settings: str) -> set[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, module, *SLOW],
        cwd=ROOT, env=plain | settings, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["producer.commands", "workers.cpu", "workers.sweep"])
def test_a_scan_on_one_machine_loads_nothing_of_a_fleet(module: str, tmp_path: Path) -> None:
    settings = {
        "UNMASK_DATABASE_URL": f"sqlite:///{tmp_path}/unmask.db",
        "UNMASK_STORE_URL": str(tmp_path),
    }
    assert loaded(module, **settings) == set()


def test_the_processes_of_a_pool_share_what_a_fleet_needs() -> None:
    """Loaded before they are forked."""
    settings = {
        "UNMASK_DATABASE_URL": "postgresql://unmask@ledger.example/unmask",
        "UNMASK_STORE_URL": "s3://faces",
    }
    assert loaded("workers.cpu", **settings) == {"boto3", "psycopg"}
