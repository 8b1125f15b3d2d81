"""Stopped or killed in the middle, a scan goes on where it was and repeats nothing."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from tests.e2e.conftest import ROOT, Bench, results
from tests.e2e.processes import of_marker
from tests.polling import until

SAMPLE = ROOT / "samples" / "talking-head.mp4"
#: More than are done before a signal arrives, on a fast machine too.
COPIES = 12

STOP_WITHIN_S = 10


def copies(folder: Path, count: int = COPIES) -> Path:
    """The same picture over and over is one content; a changed tail makes it another."""
    media = folder / "media"
    media.mkdir()
    for number in range(count):
        target = media / f"clip-{number}.mp4"
        shutil.copy(SAMPLE, target)
        with target.open("ab") as file:
            file.write(number.to_bytes(4, "big"))
    return media


def finished(bench: Bench) -> int:
    path = bench.state / "unmask.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as db:
        try:
            count: int = db.execute("select count(*) from item where stage = 'done'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return count


def begun(bench: Bench) -> bool:
    """A worker holds the first item: the scan is in the middle of its work."""
    path = bench.state / "unmask.db"
    if not path.exists():
        return False
    with (
        contextlib.closing(sqlite3.connect(path)) as db,
        contextlib.suppress(sqlite3.OperationalError),
    ):
        count: int = db.execute("select count(*) from move where new = 'extracting'").fetchone()[0]
        return count > 0
    return False


def claims(bench: Bench) -> dict[int, int]:
    with sqlite3.connect(bench.state / "unmask.db") as db:
        return dict(
            db.execute("select item_id, count(*) from move where new = 'extracting' group by 1")
        )


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(local: Bench) -> None:
    media = copies(local.folder)
    scan = local.start("scan", str(media), "--out", str(local.results))
    until(lambda: finished(local) >= 1)
    started = time.monotonic()
    scan.send_signal(signal.SIGINT)
    assert scan.wait(STOP_WITHIN_S + 20) == 130
    assert time.monotonic() - started <= STOP_WITHIN_S
    assert of_marker(local.marker) == []
    half_written = [
        path for path in local.state.rglob("*") if path.is_file() and ".part" in str(path)
    ]
    assert half_written == []

    done_before = finished(local)
    before = claims(local)
    done = local.scan(media)
    assert done.returncode == 0, done.stderr
    rows = results(local)
    assert len(rows) == COPIES
    assert {row["stage"] for row in rows} == {"done"}
    repeated = [item for item, count in claims(local).items() if before.get(item) and count > 1]
    assert len(repeated) <= COPIES - done_before


def test_killed_workers_lose_nothing(local: Bench) -> None:
    bench = Bench(
        folder=local.folder,
        extra={"UNMASK_LEASE_S": "3", "UNMASK_HEARTBEAT_S": "1", "UNMASK_OFFER_LEASE_S": "5"},
    )
    media = copies(local.folder)
    scan = bench.start("scan", str(media), "--out", str(local.results))
    until(lambda: finished(bench) >= 1)
    for process in of_marker(bench.marker):
        if "workers.cpu worker" in process.command or "workers.gpu worker" in process.command:
            process.kill()
    assert scan.wait(240) == 0, (local.folder / "stderr").read_text()
    rows = results(local)
    assert [row["stage"] for row in rows] == ["done"] * COPIES


def test_a_killed_supervisor_takes_its_children_with_it(local: Bench) -> None:
    scan = local.start("scan", str(copies(local.folder)), "--out", str(local.results))
    until(lambda: finished(local) >= 1)
    os.kill(scan.pid, signal.SIGKILL)
    scan.wait()
    until(lambda: not of_marker(local.marker), within_s=60)


def test_two_scans_do_not_share_a_state_folder(local: Bench) -> None:
    media = copies(local.folder, 2)
    first = local.start("scan", str(media), "--out", str(local.results))
    until((local.state / "run" / "redis.log").exists)
    second: subprocess.CompletedProcess[str] = local.scan(media)
    assert second.returncode == 2
    assert "another scan" in second.stderr
    first.send_signal(signal.SIGINT)
    first.wait(30)


def test_ctrl_c_ends_a_scan_that_still_reads_a_pipe(local: Bench) -> None:
    """Work begins with the first line; the pipe stays open, and nobody waits for its end."""
    with (local.folder / "stderr").open("w") as err:
        scan = subprocess.Popen(
            local.command("scan", "-", "--out", str(local.results)),
            cwd=ROOT,
            env=local.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
    assert scan.stdin is not None
    scan.stdin.write(f"{ROOT / 'samples' / 'not-a-video.mp4'}\n".encode())
    scan.stdin.flush()
    until(lambda: begun(local))
    scan.send_signal(signal.SIGINT)
    assert scan.wait(15) == 130
    said = (local.folder / "stderr").read_text()
    assert "Fatal Python error" not in said
    assert "the same command goes on from here" in said
    scan.stdin.close()
