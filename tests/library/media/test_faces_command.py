"""`unmask faces FILE`: words, a contact sheet, and a page that moves."""

import base64
import dataclasses
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from bench.made.film import backdrop, coded, one_face
from tests.making.extracted import extracted
from tests.making.shown import apart
from unmask.cli import app
from unmask.commands.faces import described
from unmask.media import decode_frames
from unmask.media.page import moving_page
from unmask.spec import ScanSpec

RUN = CliRunner()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "a & b.mp4"
    path.write_bytes(coded(one_face(40, lambda i: (150 + 6 * i, 180)).pictures))
    return path


def test_it_tells_who_is_seen_and_when(film: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    told = RUN.invoke(app, ["faces", str(film), "--first", "--frames", "30", "--sheet", str(sheet)])
    assert told.exit_code == 0, told.output
    assert "video 640×360 (h264), 1.60 s" in told.output
    assert re.search(r"person 1: 30 frames, face \d+ pixels", told.output)
    assert re.search(r"0\.00 – +1\.16 s +30 frames", told.output)
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape[1] == 10 * (112 + 4)


def test_the_page_holds_every_frame_in_order(film: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    asked = ["faces", str(film), "--first", "--frames", "30", "--page", str(page)]
    told = RUN.invoke(app, [*asked, "--sheet", str(tmp_path / "sheet.png")])
    assert told.exit_code == 0, told.output
    html = page.read_text(encoding="utf-8")
    assert "a &amp; b.mp4" in html
    assert "<script" not in html
    assert not re.search(r"(src|href)=|url\((?!data:)", html)
    assert "steps(30)" in html
    assert "animation: play 1.2s" in html
    (sprites,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", html)
    strip = cv2.imdecode(np.frombuffer(base64.b64decode(sprites), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert strip is not None

    spec = ScanSpec().with_options(frames=30, first=True)
    clips, manifest = extracted(film.read_bytes(), spec)
    frames = decode_frames(clips[0].data, manifest.persons[0])
    assert strip.shape == (30 * 112, 112, 3)
    assert apart(strip.reshape(30, 112, 112, 3), frames) < 4


def test_nobody_is_said_and_nothing_written(tmp_path: Path) -> None:
    path, sheet = tmp_path / "empty.mp4", tmp_path / "sheet.png"
    path.write_bytes(coded([backdrop(320, 240)] * 5))
    told = RUN.invoke(app, ["faces", str(path), "--sheet", str(sheet)])
    assert told.exit_code == 0
    assert "no_face: no face in" in told.output
    assert not sheet.exists()


def test_a_page_without_anybody_says_so(tmp_path: Path) -> None:
    path, page = tmp_path / "empty.mp4", tmp_path / "page.html"
    path.write_bytes(coded([backdrop(320, 240)] * 5))
    told = RUN.invoke(app, ["faces", str(path), "--page", str(page)])
    assert told.exit_code == 0, told.output
    html = page.read_text(encoding="utf-8")
    assert re.search(r"<p>There is nobody to show: no face in \d+ pictures? looked at\.</p>", html)
    assert "Point at one" not in html


@pytest.mark.parametrize(("left_out", "said"), [(1, "1 more person"), (3, "3 more people")])
def test_people_left_out_are_counted_in_words(left_out: int, said: str) -> None:
    clips, manifest = extracted(one_person())
    manifest = dataclasses.replace(manifest, left_out=left_out)
    assert f"{said} left out" in described(manifest)
    verb = "was" if left_out == 1 else "were"
    assert f"{said} {verb} left out." in moving_page("a film", manifest, clips)


def one_person() -> bytes:
    return coded(one_face(6, lambda _: (320, 180)).pictures)


def test_a_sheet_that_cant_be_written_is_said_so(film: Path, tmp_path: Path) -> None:
    asked = ["faces", str(film), "--frames", "3", "--first", "--sheet"]
    told = RUN.invoke(app, [*asked, str(tmp_path / "nowhere" / "sheet.png")])
    assert told.exit_code == 1
    assert "sheet.png can't be written: No such file or directory" in told.output
    odd = RUN.invoke(app, [*asked, str(tmp_path / "sheet.xyz")])
    assert odd.exit_code == 2
    assert "sheet.xyz" in odd.output


@pytest.mark.parametrize("option", [["--frames", "0"], ["--stride", "0"], ["--detector", "no"]])
def test_an_option_that_means_nothing_is_refused(film: Path, option: list[str]) -> None:
    assert RUN.invoke(app, ["faces", str(film), *option]).exit_code == 2


def test_another_detector_looks_where_it_is_named(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["faces", str(film), "--first", "--frames", "5", "--sheet", str(tmp_path / "s.png")]
    told = RUN.invoke(app, [*asked, "--detector", "blazeface"])
    assert told.exit_code == 0, told.output
    assert "person 1: 5 frames" in told.output
    monkeypatch.delenv("UNMASK_YUNET_WEIGHTS", raising=False)
    lacking = RUN.invoke(app, [*asked, "--detector", "yunet"])
    assert lacking.exit_code == 1
    assert "set UNMASK_YUNET_WEIGHTS" in lacking.output
    papers = RUN.invoke(app, [*asked, "--spec", "papers", "--detector", "yunet"])
    assert papers.exit_code == 2
    assert "`hog` and `cnn`" in papers.output


def test_what_is_no_media_ends_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "words.mp4"
    path.write_text("nothing to see")
    told = RUN.invoke(app, ["faces", str(path)])
    assert told.exit_code == 1
    assert "not_media" in told.output
