"""A process that lives and does not serve is not well: its broker is gone, it hangs, it is stuck.

What is asked here are the images' own health checks, of real processes.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import redis

import settings
from infra.ledger import migrate, open_ledger
from schemas.stages import Stage
from tasks import names
from tests import servers
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import ALONE, CAMPAIGN, Fleet
from tests.polling import until
from workers.health import STUCK_S

ROOT = Path(__file__).resolve().parents[2]
#: A check must answer before its own time is over: Compose gives it 20 s.
WITHIN_S = 20
#: A busy machine with two cores still has a worker up within this.
STARTS_WITHIN_S = 180
WELL, ILL = 0, 1


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
def service(
    folder: Path, variables: dict[str, str], *words: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """By the images' own entry point."""
    with (folder / "service.log").open("wb") as out:
        worker = subprocess.Popen(
            ["sh", str(ROOT / "infra" / "docker" / "entrypoint"), *words],
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


def asked(variables: dict[str, str], what: str = "cpu") -> tuple[int | None, str]:
    """No status where a busy machine lets the check's own time pass."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workers.health", what],
            cwd=ROOT, env=variables, capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, f"no answer in {WITHIN_S} s"
    return done.returncode, done.stdout + done.stderr


def test_a_worker_is_well_only_while_it_answers_over_its_broker(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'unmask.db'}")
    with servers.redis(tmp_path) as url:
        variables = environment(tmp_path, url)
        with service(tmp_path, variables, "cpu", "--without-mingle") as worker:
            until(lambda: asked(variables)[0] == WELL, within_s=STARTS_WITHIN_S)
            stop(url)
            code, said = asked(variables)
            assert code == 1, said
            assert "cpu does not serve" in said
            assert worker.poll() is None, "the process itself lives on"


def test_each_sweep_is_well_only_while_it_does_its_own_rounds(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(database)
    with ExitStack() as stack:
        url = stack.enter_context(servers.redis(tmp_path))
        sweeps = [stack.enter_context(replica(tmp_path / name, tmp_path, url)) for name in "ab"]
        until(lambda: all(says(one, WELL) for one in sweeps))
        ledger = stack.enter_context(closing(open_ledger(database)))
        leads = ledger.leader(names.SWEEP)
        leader, follower = sorted(sweeps, key=lambda one: leads != owner(one))
        assert leads == owner(leader)
        follower[0].send_signal(signal.SIGSTOP)
        until(lambda: says(follower, ILL))
        until(lambda: says(leader, WELL))
        follower[0].send_signal(signal.SIGCONT)
        until(lambda: says(follower, WELL))
        stop(url)
        until(lambda: all(says(one, ILL) for one in sweeps))
        assert [one[0].poll() for one in sweeps] == [None, None], "the processes live on"


Replica = tuple["subprocess.Popen[bytes]", dict[str, str]]


@contextmanager
def replica(own: Path, shared: Path, url: str) -> Iterator[Replica]:
    """With a temporary folder to itself, as a container has it."""
    own.mkdir()
    variables = environment(shared, url) | {"TMPDIR": str(own)}
    with service(own, variables, "sweep") as process:
        yield process, variables


def owner(one: Replica) -> str:
    return f"{socket.gethostname()}:{one[0].pid}"


def says(one: Replica, status: int) -> bool:
    code, said = asked(one[1], "sweep")
    print(one[0].pid, code, said)
    return code == status


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_gpu_worker_whose_model_never_comes_back_is_ill(fleet: Fleet) -> None:
    fleet.extra |= {"UNMASK_CLASSIFY_DEADLINE_S": "900", "UNMASK_VISIBILITY_TIMEOUT_S": "3600"}
    name = ["-n", f"gpu@{socket.gethostname()}"]
    fleet.add("gpu", [sys.executable, "-m", "tests.chaos.run", "gpu", *ALONE, *name])
    variables = fleet.environment({})
    fleet.until(lambda: asked(variables, "gpu")[0] == WELL, within_s=STARTS_WITHIN_S)
    fleet.start("sweep", "cpu")
    fleet.submit([uri(1)])
    fleet.until_ended()
    # One that waits for work serves.
    fleet.until(lambda: asked(variables, "gpu")[0] == WELL, within_s=STARTS_WITHIN_S)
    fleet.submit([uri(2, Deed.GPU_ENDLESS)])
    fleet.until(lambda: fleet.ledger.status(CAMPAIGN).stages.get(Stage.CLASSIFYING) == 1)
    assert asked(variables, "gpu")[0] != ILL, "a model may take its time"
    last = ""

    def is_ill() -> bool:
        nonlocal last
        code, last = asked(variables, "gpu")
        return code == ILL

    fleet.until(is_ill, within_s=STUCK_S + 120)
    assert "holds 1 items and its model thread has not moved" in last
    assert not fleet.fallen


def stop(url: str) -> None:
    with redis.Redis.from_url(servers.redis_admin(url)) as client, suppress(redis.ConnectionError):
        client.shutdown(nosave=True)
