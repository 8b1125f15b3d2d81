"""Whatever bytes a list holds, reading it ends, and its good lines come through."""

import csv
import io
import json
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from producer.plain import json_safe, shorten
from producer.sources import BadLine, SourceError, open_source
from producer.sources.repeats import Repeats
from schemas.records import NewItem
from unmask.wording import printable

LISTS = ("list.txt", "list.csv", "list.tsv", "list.jsonl", "list.parquet")
GOOD = "https://good.example/{}.mp4"

in_a_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)


def read(path: Path) -> tuple[list[NewItem], list[BadLine]]:
    items: list[NewItem] = []
    bad: list[BadLine] = []
    try:
        for one in open_source(str(path)):
            if isinstance(one, BadLine):
                bad.append(one)
            else:
                items.append(one)
    except SourceError as error:
        told = str(error)
        assert told.isprintable()
    return items, bad


@in_a_folder
@given(name=st.sampled_from(LISTS), data=st.binary(max_size=400))
@example(name="list.txt", data=b"\xff\xfeh")
@example(name="list.csv", data=b'url\n"\x00"""')
@example(name="list.jsonl", data=b'{"url": "\\ud800"}')
def test_no_bytes_stop_the_reading(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    items, bad = read(path)
    for line in bad:
        assert str(line).isprintable()
        assert len(line.text) <= 2_000
    for item in items:
        json.dumps(dict(item.extra), allow_nan=False).encode()
        item.uri.encode()


#: Lines that are no comment, no address and no quote: each must be told, and cost nothing else.
junk = st.binary(max_size=60).map(lambda data: b"-" + data.translate(None, b"\r\n\"'\\/:#\xff\xfe"))


@in_a_folder
@given(st.lists(junk, min_size=1, max_size=12))
def test_good_lines_of_a_list_come_through(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "list.txt"
    good = [GOOD.format(at) for at in range(len(lines))]
    path.write_bytes(
        b"".join(b"%s\n%s\n" % pair for pair in zip([g.encode() for g in good], lines, strict=True))
    )
    items, bad = read(path)
    assert [item.uri for item in items] == good
    assert len(bad) == len(lines)


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\x1c\x1d\x1e\x85"),
    max_size=20,
)


@in_a_folder
@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=10))
def test_what_a_csv_writer_wrote_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    """Cells with quotes, separators and line breaks of every kind."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["before", "url", "after"])
    for at, (before, after) in enumerate(rows):
        writer.writerow([before, GOOD.format(at), after])
    path = tmp_path / "list.csv"
    path.write_bytes(text.getvalue().encode())
    items, bad = read(path)
    assert bad == []
    assert [item.extra for item in items] == [
        {"before": before, "after": after} for before, after in rows
    ]


@in_a_folder
@given(st.lists(st.sampled_from(['x,"oops', '"a"b,c', "x", "a,b,c,d"]), max_size=6))
def test_broken_rows_cost_only_themselves(tmp_path: Path, broken: list[str]) -> None:
    good = [GOOD.format(at) for at in range(30)]
    rows = [f"{one},x" for one in good]
    for at, one in enumerate(broken):
        rows.insert(4 * at + 1, one)
    path = tmp_path / "list.csv"
    path.write_text("url,note\n" + "\n".join(rows))
    items, _ = read(path)
    assert [item.uri for item in items] == good


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_extra_columns_become_json_that_any_database_takes(value: object) -> None:
    text = json.dumps(json_safe(value), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode()


@given(st.text())
def test_shown_text_steers_no_terminal(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(st.characters(codec="ascii"), min_size=1), st.integers(3, 40))
def test_a_shortened_name_fits_and_keeps_its_end(text: str, cells: int) -> None:
    short = shorten(printable(text), cells)
    assert len(short) <= cells
    assert short[-1] == printable(text)[-1]


@given(st.lists(st.sampled_from("abcd"), max_size=30))
def test_repeats_are_found_among_the_latest(addresses: list[str]) -> None:
    repeats = Repeats(remembered=2)
    kept: list[tuple[str, int]] = []
    for line, address in enumerate(addresses, start=1):
        before = dict(kept).get(address)
        assert repeats.first_line(address, line) == before
        if before is None:
            kept = [*kept, (address, line)][-2:]
