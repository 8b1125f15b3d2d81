"""`scan samples` as a stranger runs it: real processes, and every promise of the result."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests import servers
from tests.e2e.conftest import ROOT, STORES, Bench, bench_on

SAMPLES = ROOT / "samples"

JUDGED = frozenset({"fake", "real", "unsure"})
#: Nobody's face was replaced: anything but `fake`.
GENUINE = JUDGED - {"fake"}
#: What each sample must end as.
EXPECTED: dict[str, frozenset[str]] = {
    "talking-head.mp4": GENUINE,
    "manipulated.mp4": frozenset({"fake"}),
    "two-people.mp4": GENUINE,
    "picture.jpg": GENUINE,
    "truncated.mp4": GENUINE,
    "no-face.mp4": frozenset({"no_face"}),
    "tiny-face.jpg": frozenset({"too_small"}),
    "short.mp4": frozenset({"too_short"}),
    "animation.webp": GENUINE,
    "broken.mp4": frozenset({"undecodable"}),
    "not-a-video.mp4": frozenset({"not_media"}),
}


@pytest.fixture(scope="module", params=STORES)
def scanned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    with bench_on(request.param, tmp_path_factory.mktemp("scan"), request) as bench:
        done = bench.scan(SAMPLES)
        assert done.returncode == 0, done.stderr
        yield bench


def rows(bench: Bench) -> dict[str, dict[str, Any]]:
    lines = (bench.results / "results.jsonl").read_text().splitlines()
    return {Path(str(row["uri"])).name: row for row in map(json.loads, lines)}


def test_every_sample_ends_as_it_should(scanned: Bench) -> None:
    found = rows(scanned)
    wrong = {name: found[name]["outcome"] for name in EXPECTED if not _as_expected(found, name)}
    assert wrong == {}


def _as_expected(found: dict[str, dict[str, Any]], name: str) -> bool:
    return found[name]["outcome"] in EXPECTED[name]


def test_together_they_show_every_sort_of_outcome(scanned: Bench) -> None:
    shown = {row["outcome"] for row in rows(scanned).values()}
    unjudged = {"no_face", "too_small", "too_short", "undecodable", "not_media"}
    assert shown == JUDGED | unjudged


def test_whoever_was_judged_has_a_probability(scanned: Bench) -> None:
    judged = [row for row in rows(scanned).values() if row["outcome"] in JUDGED]
    assert judged
    assert all(0 < row["probability"] < 1 for row in judged)


def test_the_manipulated_film_is_more_suspect_than_its_original(scanned: Bench) -> None:
    found = rows(scanned)
    manipulated, original = found["manipulated.mp4"], found["talking-head.mp4"]
    assert manipulated["probability"] > original["probability"] + 0.2


def test_what_could_not_be_judged_has_a_reason_and_no_score(scanned: Bench) -> None:
    unjudged = [row for row in rows(scanned).values() if row["outcome"] not in JUDGED]
    assert unjudged
    assert all(row["reason"] for row in unjudged)
    assert all(row["probability"] is None for row in unjudged)


def test_two_people_are_two(scanned: Bench) -> None:
    persons = rows(scanned)["two-people.mp4"]["persons"]
    assert isinstance(persons, list)
    assert len(persons) == 2
    assert all(person["segments"] for person in persons)


def test_every_object_a_row_names_is_there_with_its_hash(scanned: Bench) -> None:
    named = [key for row in rows(scanned).values() for key in row["evidence"]]
    assert named
    for key in named:
        data = stored(scanned, key)
        wanted = re.search(r"([0-9a-f]{64})\.jpg$", key)
        assert wanted
        assert hashlib.sha256(data).hexdigest() == wanted[1]


def test_the_three_exports_agree(scanned: Bench) -> None:
    lines = rows(scanned)
    with (scanned.results / "results.csv").open(newline="") as file:
        table = {Path(row["uri"]).name: row["outcome"] for row in csv.DictReader(file)}
    columns = pyarrow.parquet.read_table(
        scanned.results / "results.parquet", columns=["uri", "outcome"]
    ).to_pylist()
    parquet = {Path(row["uri"]).name: row["outcome"] for row in columns}
    outcomes = {name: row["outcome"] for name, row in lines.items()}
    assert table == parquet == outcomes


def test_the_report_needs_nothing_from_outside(scanned: Bench) -> None:
    page = (scanned.results / "report.html").read_text()
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "data:image/jpeg;base64," in page
    assert all(name in page for name in EXPECTED)


def test_the_same_command_again_repeats_nothing(scanned: Bench) -> None:
    before = moves(scanned)
    done = scanned.scan(SAMPLES)
    assert done.returncode == 0, done.stderr
    assert moves(scanned) == before


def moves(bench: Bench) -> int:
    """How often any item moved, from the ledger's own history."""
    count = bench.count("select count(*) from move")
    assert count
    return count


def stored(bench: Bench, key: str) -> bytes:
    if not bench.store.startswith("s3://"):
        return (Path(bench.store) / key).read_bytes()
    bucket, _, prefix = bench.store.removeprefix("s3://").partition("/")
    client = servers.s3_client(bench.extra["UNMASK_S3_ENDPOINT_URL"])
    data: bytes = client.get_object(Bucket=bucket, Key=f"{prefix}/{key}")["Body"].read()
    return data
