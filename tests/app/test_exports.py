"""results.csv, .jsonl and .parquet: the same values in each, harmless, whole or not at all."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.objects import Store
from producer.report import write_reports
from producer.report.csv_file import guarded, visible
from producer.report.flat import COLUMNS
from schemas.records import ResultRow
from tests.app.made_up import AT, NAME, Pictures, Rows, campaign, judged, person, row
from unmask.outcomes import Outcome

HOSTILE = '=HYPERLINK("http://evil.example")\x1b[2J\r\n<script>alert(1)</script>,;\'"\u2028'
ROWS = [
    judged(
        1,
        [person(1, [0.97, 0.1], {0: "evidence/ab/cd/1-0-" + "0" * 64 + ".jpg"}, every_s=5.0)],
        extra={"id": 7, "tags": ["a", None], "note": HOSTILE, "=name": "x"},
        notes=["one", HOSTILE],
        submitted_at=AT.astimezone(timezone(timedelta(hours=2))),
        inherited_from=3,
    ),
    row(2, Outcome.UNREACHABLE, uri=HOSTILE, reason="@SUM(A1)", extra={"id": "=1+1"}),
    row(3, None, reason="-2+3", probability=None),
    row(4, Outcome.DEAD, reason="", extra={"later": 1.5}),
]


#: Where a cell may begin, and the apostrophe that was put before a formula there.
QUOTED = re.compile(r"(\A|[;\t\r\n])'('*[=+\-@＝＋－＠])")


def unguarded(cell: str) -> str:
    """As docs/reference/outcomes.md tells a reader to take it back."""
    return QUOTED.sub(r"\1\2", cell)


def written(folder: Path, rows: list[ResultRow], pictures: Pictures | None = None) -> Path:
    store = cast("Store", pictures or Pictures())
    paths = write_reports(Rows(rows, campaign()), store, NAME, folder)
    assert sorted(folder.iterdir()) == sorted(paths)
    return folder


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "results.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lines_hold_what_the_rows_hold(tmp_path: Path) -> None:
    first, second, third, _ = lines(written(tmp_path, ROWS))
    assert list(first) == list(COLUMNS)
    assert first["extra"] == {"id": 7, "tags": ["a", None], "note": HOSTILE, "=name": "x"}
    assert first["persons"][0]["segments"][0]["probability"] == 0.97
    assert first["submitted_at"] == "2026-03-14T09:26:53.589793+00:00"
    assert (first["outcome"], first["stage"]) == ("fake", "done")
    assert (second["uri"], second["outcome"]) == (HOSTILE, "unreachable")
    assert (third["outcome"], third["stage"], third["persons"]) == (None, "waiting", [])


def test_csv_holds_the_same(tmp_path: Path) -> None:
    folder = written(tmp_path, ROWS)
    for wanted, cells in zip(lines(folder), table(folder), strict=True):
        shown = {
            name: visible(value) if isinstance(value, str) else value
            for name, value in wanted.items()
        }
        assert {name: read_cell(cells[name], wanted[name]) for name in COLUMNS} == shown
    assert [cells["input.id"] for cells in table(folder)] == ["7", "'=1+1", "", ""]
    assert table(folder)[3]["input.later"] == "1.5"


def read_cell(cell: str, wanted: Any) -> Any:
    """CSV has no types: the other file says which one was meant."""
    if wanted is None or isinstance(wanted, str):
        return unguarded(cell) or ("" if isinstance(wanted, str) else None)
    return json.loads(unguarded(cell))


def test_parquet_holds_the_same_with_types(tmp_path: Path) -> None:
    folder = written(tmp_path, ROWS)
    for wanted, found in zip(
        lines(folder), pq.read_table(folder / "results.parquet").to_pylist(), strict=True
    ):
        assert list(found) == list(COLUMNS)
        found["extra"] = json.loads(found["extra"])
        for name in ("submitted_at", "started_at", "finished_at"):
            found[name] = found[name] and found[name].astimezone(UTC).isoformat()
        assert found == wanted


def test_parquet_has_its_types_without_a_single_row(tmp_path: Path) -> None:
    schema = pq.read_schema(written(tmp_path, []) / "results.parquet")
    assert str(schema.field("probability").type) == "double"
    assert str(schema.field("finished_at").type) == "timestamp[us, tz=UTC]"
    assert (tmp_path / "results.jsonl").read_bytes() == b""
    assert table(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@A1", "＝1", "x;=cmd|' /C calc'!A0", "x\n=1", "a\t@b", "'=1", "-inf"],
)
def test_no_cell_begins_a_formula(text: str) -> None:
    for part in guarded(text).replace("\n", ";").replace("\t", ";").split(";"):
        assert not part.startswith(("=", "+", "-", "@", "＝"))
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["-5", "+1.5e-3", "plain", "a=b", "it's", "", "'"])
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert guarded(text) == text


@given(st.text(st.sampled_from("=+-@＝';\t\r\n a1.")) | st.text())
def test_a_guarded_cell_can_be_read_back(text: str) -> None:
    assert unguarded(guarded(text)) == visible(text)


@given(st.text())
def test_a_cell_holds_nothing_that_steers(text: str) -> None:
    assert all(one.isprintable() or one in "\t\r\n" for one in guarded(text))


@pytest.mark.parametrize("steering", ["\x1b[2J", "\u202e", "\x07", "\x9b", "\u2028", "\u200f"])
def test_what_people_open_steers_nothing_and_what_programs_read_is_exact(
    tmp_path: Path, steering: str
) -> None:
    name = f"a{steering}b"
    folder = written(tmp_path, [row(1, Outcome.UNREACHABLE, uri=name, extra={name: name})])
    for file in ("results.csv", "report.html"):
        assert steering not in (folder / file).read_text()
    assert lines(folder)[0]["uri"] == name
    assert pq.read_table(folder / "results.parquet").to_pylist()[0]["uri"] == name


def test_naive_moments_are_utc(tmp_path: Path) -> None:
    naive = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None)
    [found] = lines(written(tmp_path, [row(1, submitted_at=naive)]))
    assert found["submitted_at"] == "2026-01-02T03:04:05+00:00"


def test_a_report_that_breaks_off_leaves_the_last_one(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    class Broken(Rows):
        def results(self, name: str) -> Iterator[ResultRow]:
            yield from super().results(name)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_reports(Broken([row(9)], campaign()), cast("Store", Pictures()), NAME, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_rows_go_by_without_being_kept(tmp_path: Path) -> None:
    """More rows than any buffer holds: all of them arrive, in order."""

    class Many(Rows):
        def results(self, name: str) -> Iterator[ResultRow]:
            assert name == NAME
            return (row(at) for at in range(10_500))

    write_reports(Many([], campaign()), cast("Store", Pictures()), NAME, tmp_path)
    items = pq.read_table(tmp_path / "results.parquet", columns=["item"])["item"].to_pylist()
    assert items == list(range(10_500))
    assert pq.ParquetFile(tmp_path / "results.parquet").num_row_groups == 2
    assert [one["item"] for one in lines(tmp_path)] == items
    assert [int(one["item"]) for one in table(tmp_path)] == items
