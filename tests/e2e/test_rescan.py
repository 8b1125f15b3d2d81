"""Another model judges stored clips; the originals may be gone by then."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests import servers
from tests.e2e.conftest import ROOT, Bench, fleet_of, results
from tests.making.bundles import write_bundle
from tests.polling import until
from unmask.model.shelf import find_bundle

MODELS = ROOT / "models"
#: As hard to reassure as no model ever was: what is real to `lite` it leaves open.
HARD_TO_REASSURE = 0.001


def with_a_sibling(folder: Path) -> Path:
    """A shelf with `lite` and one that cuts alike and judges otherwise."""
    shelf = folder / "models"
    for name in ("lite", "sibling"):
        shutil.copytree(MODELS / "lite", shelf / name)
    page = shelf / "sibling" / "model.json"
    said = json.loads(page.read_text())
    said["name"] = "sibling"
    said["thresholds"]["real"] = HARD_TO_REASSURE
    page.write_text(json.dumps(said))
    return shelf


def test_stored_clips_are_judged_again_without_the_originals(shared: Bench, tmp_path: Path) -> None:
    bench = shared.but(UNMASK_MODELS_DIR=str(with_a_sibling(tmp_path)))
    media = tmp_path / "media"
    media.mkdir()
    for name in ("picture.jpg", "tiny-face.jpg"):
        shutil.copy(ROOT / "samples" / name, media / name)
    first = bench.scan(media, "--campaign", "first", "--model", "lite")
    assert first.returncode == 0, first.stderr
    before = {Path(row["uri"]).name: row for row in results(bench)}
    shutil.rmtree(media)

    shown = bench.run("rescan", "--campaign", "first", "--model", "sibling")
    assert "2 items from stored clips, without touching the originals" in shown.stdout
    assert "nothing was begun" in shown.stdout

    after = {Path(row["uri"]).name: row for row in judged_again(bench)}
    assert after.keys() == before.keys()
    assert after["picture.jpg"]["model"] == "sibling"
    assert after["picture.jpg"]["bytes_fetched"] == 0
    assert {row["stage"] for row in after.values()} == {"done"}
    verdicts = before["picture.jpg"]["outcome"], after["picture.jpg"]["outcome"]
    assert verdicts == ("real", "unsure")
    changes = bench.run("changes", "--since", "first", "--campaign", "first-sibling", "--json")
    (change,) = map(json.loads, changes.stdout.splitlines())
    assert change["uri"].endswith("picture.jpg")

    erased = bench.run("erase", "--item", str(after["picture.jpg"]["item"]))
    assert "evidence picture" in erased.stdout
    assert [key for key in stored(bench) if key.endswith(".jpg")] == []


def judged_again(bench: Bench) -> list[dict[str, Any]]:
    """On its own machine the command does the work; elsewhere running workers take it."""
    rescan = ("rescan", "--campaign", "first", "--model", "sibling", "--yes")
    if bench.database.startswith("sqlite"):
        done = bench.run(*rescan, "--out", str(bench.results))
        assert done.returncode == 0, done.stderr
        return results(bench)
    begun = bench.run(*rescan)
    assert f"changes --since first --campaign first-sibling --state {bench.state}" in begun.stdout
    open_items = "select count(*) from item where stage != 'done'"
    with fleet_of(bench) as machine:
        machine.start()
        until(lambda: not machine.check() and not bench.count(open_items))
    bench.run("report", "--campaign", "first-sibling", "--out", str(bench.results))
    return results(bench)


def stored(bench: Bench) -> list[str]:
    """The keys of all that lies in the object store."""
    if not bench.store.startswith("s3://"):
        return [path.name for path in Path(bench.store).rglob("*") if path.is_file()]
    bucket = bench.store.removeprefix("s3://").partition("/")[0]
    client = servers.s3_client(bench.extra["UNMASK_S3_ENDPOINT_URL"])
    return [one["Key"] for one in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_another_way_of_cutting_faces_needs_the_originals(local: Bench) -> None:
    media = local.folder / "media"
    media.mkdir()
    shutil.copy(ROOT / "samples" / "tiny-face.jpg", media / "tiny-face.jpg")
    bench = local.but(UNMASK_MODELS_DIR=str(local.folder / "models"))
    shutil.copytree(MODELS / "lite", local.folder / "models" / "lite")
    wide = write_bundle(local.folder / "models" / "wide", name="wide")
    assert wide.spec.box != find_bundle("lite").spec.box
    first = bench.scan(media, "--campaign", "first", "--model", "lite")
    assert first.returncode == 0, first.stderr
    shown = bench.run("rescan", "--campaign", "first", "--model", "wide")
    assert "0 items from stored clips" in shown.stdout
    assert "1 item to be fetched again" in shown.stdout
