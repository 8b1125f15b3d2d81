"""Another model judges stored clips; the originals may be gone by then."""

import json
import shutil
from pathlib import Path

from tests.e2e.conftest import ROOT, Bench, results


def test_stored_clips_are_judged_again_without_the_originals(local: Bench) -> None:
    media = local.folder / "media"
    media.mkdir()
    for name in ("picture.jpg", "tiny-face.jpg"):
        shutil.copy(ROOT / "samples" / name, media / name)
    first = local.scan(media, "--campaign", "first", "--model", "lite")
    assert first.returncode == 0, first.stderr
    before = {Path(row["uri"]).name: row for row in results(local)}
    shutil.rmtree(media)

    shown = local.run("rescan", "--campaign", "first", "--model", "resnext50-lstm")
    assert "2 items from stored clips, without touching the originals" in shown.stdout
    assert "nothing was begun" in shown.stdout

    done = local.run("rescan", "--campaign", "first", "--model", "resnext50-lstm", "--yes")
    assert done.returncode == 0, done.stderr
    assert "no verdict changed" in done.stdout, "neither model is trained"
    report = local.run("report", "--campaign", "first-resnext50-lstm", "--out", str(local.results))
    assert report.returncode == 0
    after = {Path(row["uri"]).name: row for row in results(local)}
    assert after.keys() == before.keys()
    assert after["picture.jpg"]["model"] == "resnext50-lstm"
    assert after["picture.jpg"]["bytes_fetched"] == 0
    assert {row["stage"] for row in after.values()} == {"done"}

    erased = local.run("erase", "--item", str(after["picture.jpg"]["item"]))
    assert "evidence picture" in erased.stdout
    left = [path for path in (local.state / "objects").rglob("*.jpg") if path.is_file()]
    assert left == []
    changes = local.run(
        "changes", "--since", "first", "--campaign", "first-resnext50-lstm", "--json"
    )
    assert [json.loads(line) for line in changes.stdout.splitlines()] == []
