"""What the command's status tells a script, and what it refuses to touch."""

import contextlib
import hashlib
import signal
import sqlite3
from pathlib import Path

from infra.ledger import open_ledger
from infra.ledger.policy import Policy
from schemas.stages import Stage
from tasks.brake import ENOUGH
from tests.e2e.conftest import ROOT, Bench, results
from tests.e2e.copies import MANY, PART, begun, copies
from tests.polling import until


def texts(bench: Bench, *names: str) -> Path:
    media = bench.folder / "texts"
    media.mkdir()
    for name in names:
        (media / name).write_text(f"no video, but {name}")
    return media


def test_a_dead_item_is_status_3_and_requeue_revives_it(shared: Bench) -> None:
    media = texts(shared, "a.mp4", "b.mp4")
    assert "the ledger was made" in shared.run("migrate").stdout
    done = shared.run("submit", str(media), "--campaign", "dead")
    assert done.returncode == 0, "one machine's own ledger is made where there is none"
    assert "2 new" in done.stdout

    ledger = open_ledger(shared.database, policy=Policy(max_attempts=1))
    (offer, *_) = ledger.offer(window=10, lease_s=0.001)
    claim = ledger.claim(offer.item, Stage.WAITING, owner="test", lease_s=60)
    assert claim is not None
    assert ledger.fail(claim, "a fault of ours") is Stage.DEAD
    ledger.close()

    done = shared.scan(media, "--campaign", "dead")
    assert done.returncode == 3
    assert {row["outcome"] for row in results(shared)} == {"dead", "not_media"}
    assert "a fault of ours" in done.stdout

    revived = shared.run("requeue", "--campaign", "dead", "--outcome", "dead")
    assert "1 item goes again" in revived.stdout
    done = shared.scan(media, "--campaign", "dead")
    assert done.returncode == 0
    assert {row["outcome"] for row in results(shared)} == {"not_media"}


def test_a_paused_campaign_is_status_4_and_resume_goes_on(local: Bench) -> None:
    media, campaign = copies(local.folder, 4), ("--campaign", "brake")
    scan = local.start("scan", str(media), *campaign, *PART, "--out", str(local.results))
    until(lambda: begun(local))
    ledger = open_ledger(local.database)
    ledger.pause("brake", "the network is gone")
    ledger.close()
    assert scan.wait(60) == 4
    assert "the network is gone" in (local.folder / "stderr").read_text()

    assert local.run("resume", *campaign).returncode == 0
    done = local.scan(media, *campaign, *PART)
    assert done.returncode == 0, done.stderr
    assert {row["stage"] for row in results(local)} == {"done"}


def test_the_brake_stops_a_scan_that_only_fails_and_resume_goes_on(local: Bench) -> None:
    """A fault of our own: where clips belong, something else lies."""
    media = pictures(local.folder, ENOUGH + 4)
    in_the_way = local.state / "objects" / "clips"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("no folder")
    done = local.scan(media, "--campaign", "ours")
    assert done.returncode == 4, done.stderr
    assert "by our own fault" in done.stderr
    assert "object storage: Not a directory" in done.stderr
    assert "producer resume --campaign ours" in done.stderr
    assert {row["stage"] for row in results(local)} == {"waiting"}, "items died of our fault"

    in_the_way.unlink()
    assert local.run("resume", "--campaign", "ours").returncode == 0
    done = local.scan(media, "--campaign", "ours")
    assert done.returncode == 0, done.stderr
    assert {row["stage"] for row in results(local)} == {"done"}


def pictures(folder: Path, count: int) -> Path:
    """Each is another content: a picture ends where it ends, whatever follows."""
    media = folder / "pictures"
    media.mkdir()
    data = (ROOT / "samples" / "picture.jpg").read_bytes()
    for number in range(count):
        (media / f"{number}.jpg").write_bytes(data + number.to_bytes(4, "big"))
    return media


def test_wrong_usage_is_status_2_and_names_what_is_wrong(local: Bench) -> None:
    media = texts(local, "a.mp4")
    odd = local.scan(media, "--frames", "13")
    assert odd.returncode == 2
    assert "10, 20, 40" in odd.stderr
    unknown = local.but(UNMASK_LEASE_SECONDS="3").scan(media)
    assert unknown.returncode == 2
    assert "UNMASK_LEASE_SECONDS" in unknown.stderr
    contradiction = local.but(UNMASK_HEARTBEAT_S="90").scan(media)
    assert contradiction.returncode == 2
    assert "UNMASK_HEARTBEAT_S" in contradiction.stderr
    model = local.scan(media, "--model", "nowhere")
    assert model.returncode == 2
    assert "nowhere" in model.stderr
    assert "Traceback" not in odd.stderr + unknown.stderr + contradiction.stderr + model.stderr


def test_a_state_folder_of_a_newer_version_is_refused_undamaged(local: Bench) -> None:
    media = texts(local, "a.mp4")
    assert local.scan(media).returncode == 0
    database = local.state / "unmask.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("update alembic_version set version_num = 'of-the-future'")
        db.commit()
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    done = local.scan(media)
    assert done.returncode == 2
    assert "newer" in done.stderr
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before


def test_sigterm_stops_like_ctrl_c(local: Bench) -> None:
    media = copies(local.folder, MANY)
    scan = local.start("scan", str(media), "--out", str(local.results))
    until(lambda: begun(local))
    scan.send_signal(signal.SIGTERM)
    assert scan.wait(15) == 130
