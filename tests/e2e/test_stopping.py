"""Stopped or killed in the middle, a scan goes on where it was and repeats nothing."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.conftest import ROOT, Bench, results
from tests.e2e.processes import of_marker
from tests.polling import until

SAMPLE = ROOT / "samples" / "talking-head.mp4"
#: More than are cut while the classifier starts: they end in one batch, and the scan with them.
COPIES = 20
#: Enough for a worker to be killed over, and few enough to be done twice.
KILLED = 6

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
    return bench.count("select count(*) from item where stage = 'done'")


def begun(bench: Bench) -> bool:
    """A worker holds the first item: the scan is in the middle of its work."""
    return bench.count("select count(*) from move where new = 'extracting'") > 0


def claims_of_finished(bench: Bench) -> dict[int, int]:
    """How often workers took each item that is done, to cut it or to judge it."""
    rows = bench.ask(
        "select item.id, count(*) from item join move on move.item_id = item.id "
        "where item.stage = 'done' and move.new in ('extracting', 'classifying') group by 1"
    )
    return {int(item): int(count) for item, count in rows}


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(either: Bench) -> None:
    media = copies(either.folder)
    scan = either.start("scan", str(media), "--out", str(either.results))
    until(lambda: finished(either) >= 1)
    started = time.monotonic()
    scan.send_signal(signal.SIGINT)
    assert scan.wait(STOP_WITHIN_S + 20) == 130
    assert time.monotonic() - started <= STOP_WITHIN_S
    assert of_marker(either.marker) == []
    folders = (either.state, either.results)
    left = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in left if ".part" in str(path)] == []

    before = claims_of_finished(either)
    assert before
    done = either.scan(media)
    assert done.returncode == 0, done.stderr
    rows = results(either)
    assert len(rows) == COPIES
    assert {row["stage"] for row in rows} == {"done"}
    after = claims_of_finished(either)
    assert {item: after[item] for item in before} == before


def test_killed_workers_lose_nothing(shared: Bench) -> None:
    bench = shared.but(UNMASK_LEASE_S="3", UNMASK_HEARTBEAT_S="1", UNMASK_OFFER_LEASE_S="5")
    media = copies(shared.folder, KILLED)
    scan = bench.start("scan", str(media), "--out", str(shared.results))
    until(lambda: finished(bench) >= 1)
    for process in of_marker(bench.marker):
        if "workers.cpu worker" in process.command or "workers.gpu worker" in process.command:
            process.kill()
    assert scan.wait(240) == 0, (shared.folder / "stderr").read_text()
    rows = results(shared)
    assert [row["stage"] for row in rows] == ["done"] * KILLED


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
