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


def test_good_lines_go_through_with_their_columns(either: Bench) -> None:
    folder = either.folder / "lists"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video")
    lines = [
        "url,case",
        "text.mp4,C-17",
        "text.mp4,again",
        "no address at all,x",
        "../outside.mp4,y",
        "",
    ]
    (folder / "list.csv").write_text("\n".join(lines))
    done = either.scan(folder / "list.csv")
    assert done.returncode == 0, done.stderr
    assert "list.csv:4" in done.stderr
    assert "list.csv:5" in done.stderr
    with (either.results / "bad-lines.csv").open(newline="") as file:
        bad = list(csv.DictReader(file))
    assert [(line["line"], line["text"]) for line in bad] == [
        ("3", str(folder / "text.mp4")),
        ("4", "no address at all"),
        ("5", "../outside.mp4"),
    ]
    [row] = results(either)
    assert (Path(row["uri"]).name, row["outcome"]) == ("text.mp4", "not_media")
    assert row["source"] == "list.csv:2"
    assert row["extra"] == {"case": "C-17"}


def test_stdin_is_a_list(local: Bench) -> None:
    sample = ROOT / "samples" / "not-a-video.mp4"
    done = local.scan("-", stdin=f"{sample}\n".encode())
    # A pipe may name files below the current folder, which is the checkout.
    assert done.returncode == 0, done.stderr
    row = json.loads((local.results / "results.jsonl").read_text())
    assert row["outcome"] == "not_media"
    again = local.scan("-", stdin=f"{sample}\n".encode())
    assert "nothing new: 1 item had ended before" in again.stderr
