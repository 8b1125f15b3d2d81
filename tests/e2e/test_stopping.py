"""Stopped in the middle, a scan goes on where it was and repeats nothing."""

import signal
import subprocess
import time

from tests.e2e.conftest import ROOT, Bench, results
from tests.e2e.copies import MANY, PART, begun, copies, finished
from tests.e2e.processes import of_marker
from tests.polling import until

STOP_WITHIN_S = 10


def claims_of_finished(bench: Bench) -> dict[int, int]:
    """How often workers took each item that is done, to cut it or to judge it."""
    rows = bench.ask(
        "select item.id, count(*) from item join move on move.item_id = item.id "
        "where item.stage = 'done' and move.new in ('extracting', 'classifying') group by 1"
    )
    return {int(item): int(count) for item, count in rows}


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(either: Bench) -> None:
    media = copies(either.folder, MANY)
    scan = either.start("scan", str(media), "--out", str(either.results), *PART)
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
    done = either.scan(media, *PART)
    assert done.returncode == 0, done.stderr
    rows = results(either)
    assert len(rows) == MANY
    assert {row["stage"] for row in rows} == {"done"}
    after = claims_of_finished(either)
    assert {item: after[item] for item in before} == before


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
