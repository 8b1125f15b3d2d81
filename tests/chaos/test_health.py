"""A worker whose process lives and whose broker is gone is not well."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import redis

import settings
from infra.ledger import migrate
from tests import servers
from tests.polling import until

ROOT = Path(__file__).resolve().parents[2]
#: A check must answer before its own time is over: Compose gives it 20 s.
WITHIN_S = 20


def environment(folder: Path, redis_url: str) -> dict[str, str]:
    given = settings.load(
        redis_url=redis_url,
        database_url=f"sqlite:///{folder / 'unmask.db'}",
        store_url=str(folder / "objects"),
        cpu_processes=1,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
    programs = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return kept | settings.environment(given) | {"PATH": programs}


@contextmanager
def cpu_worker(folder: Path, variables: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """By the images' own entry point."""
    with (folder / "worker.log").open("wb") as out:
        worker = subprocess.Popen(
            ["sh", str(ROOT / "infra" / "docker" / "entrypoint"), "cpu", "--without-mingle"],
            env=variables,
            stdout=out,
            stderr=out,
        )
    try:
        yield worker
    finally:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(worker.pid).children(recursive=True):
                child.kill()
        worker.kill()
        worker.wait()


def asked(variables: dict[str, str], what: str = "cpu") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "workers.health", what],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_worker_is_well_only_while_it_answers_over_its_broker(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'unmask.db'}")
    with servers.redis(tmp_path) as url:
        variables = environment(tmp_path, url)
        with cpu_worker(tmp_path, variables) as worker:
            until(lambda: asked(variables)[0] == 0, within_s=60)
            stop(url)
            code, said = asked(variables)
            assert code == 1, said
            assert "cpu does not serve" in said
            assert worker.poll() is None, "the process itself lives on"


def stop(url: str) -> None:
    with redis.Redis.from_url(servers.redis_admin(url)) as client, suppress(redis.ConnectionError):
        client.shutdown(nosave=True)
