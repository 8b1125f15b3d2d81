"""What is wrong with the input is said with its line number, and the good lines go through."""

import csv
import json
from pathlib import Path

from tests.e2e.conftest import ROOT, Bench, results


def test_a_missing_file_is_wrong_usage(local: Bench) -> None:
    done = local.scan(local.folder / "nowhere.mp4")
    assert done.returncode == 2
    assert "nowhere.mp4" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_folder_is_said(local: Bench) -> None:
    empty = local.folder / "empty"
    empty.mkdir()
    done = local.scan(empty)
    assert done.returncode == 2
    assert "nothing to scan" in done.stderr
    assert "Traceback" not in done.stderr
    listed = local.run("status", "--json")
    assert (listed.returncode, listed.stdout) == (2, "")
    assert "nothing has been scanned here yet" in listed.stderr


def test_an_absent_column_names_those_there_are(local: Bench) -> None:
    table = local.folder / "list.csv"
    table.write_text("video,title\nhttps://example.org/a.mp4,one\n")
    done = local.scan(table, "--column", "address")
    assert done.returncode == 2
    assert "video" in done.stderr
    assert "title" in done.stderr


def test_good_lines_go_through(local: Bench) -> None:
    folder = local.folder / "lists"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video")
    lines = ["text.mp4", "text.mp4", "no address at all", "../outside.mp4", ""]
    (folder / "list.txt").write_text("\n".join(lines))
    done = local.scan(folder / "list.txt")
    assert done.returncode == 0, done.stderr
    assert "list.txt:3" in done.stderr
    assert "list.txt:4" in done.stderr
    with (local.results / "bad-lines.csv").open(newline="") as file:
        bad = list(csv.DictReader(file))
    assert [(line["line"], line["text"]) for line in bad] == [
        ("2", str(folder / "text.mp4")),
        ("3", "no address at all"),
        ("4", "../outside.mp4"),
    ]
    rows = results(local)
    assert [(Path(row["uri"]).name, row["outcome"]) for row in rows] == [("text.mp4", "not_media")]
    assert rows[0]["source"] == "list.txt:1"


def test_extra_columns_reach_the_result(local: Bench) -> None:
    folder = local.folder / "lists"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video")
    (folder / "list.csv").write_text("url,case\ntext.mp4,C-17\n")
    done = local.scan(folder / "list.csv")
    assert done.returncode == 0, done.stderr
    row = json.loads((local.results / "results.jsonl").read_text())
    assert row["extra"] == {"case": "C-17"}


def test_stdin_is_a_list(local: Bench) -> None:
    sample = ROOT / "samples" / "not-a-video.mp4"
    done = local.scan("-", stdin=f"{sample}\n".encode())
    # A pipe may name files below the current folder, which is the checkout.
    assert done.returncode == 0, done.stderr
    row = json.loads((local.results / "results.jsonl").read_text())
    assert row["outcome"] == "not_media"
    other = ROOT / "samples" / "broken.mp4"
    assert local.scan("-", stdin=f"{other}\n".encode()).returncode == 0
    assert [Path(row["uri"]).name for row in results(local)] == ["broken.mp4"]
    again = local.scan("-", stdin=f"{other}\n".encode())
    assert "nothing new: 1 item had ended before" in again.stderr


def test_a_campaign_is_no_path(local: Bench) -> None:
    media = ROOT / "samples" / "not-a-video.mp4"
    for name in ("../../evil", "a/b", ".hidden", "x" * 200):
        done = local.run("submit", str(media), "--campaign", name)
        assert done.returncode == 2
        assert "is no name for a campaign" in done.stderr
    assert not local.state.exists()
