"""`unmask score` and `unmask model`, as a person or a script calls them."""

import json
import os
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner, Result

from bench.made.film import coded, one_face
from tests.making.bundles import CALIBRATION, THRESHOLDS, window, write_bundle
from unmask.cli import app
from unmask.model.evidence import SIDE
from unmask.model.golden import drawn_clip
from unmask.model.predict import load
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    untyped: Any = skimage.data
    face = untyped.astronaut()
    cv2.imwrite(str(folder / "face.png"), face[..., ::-1])
    cv2.imwrite(str(folder / "grey.png"), np.full((200, 300, 3), 128, np.uint8))
    (folder / "notes.mp4").write_text("this is no video")
    return folder


def lines(result: Result, status: int = 0) -> list[dict[str, Any]]:
    assert result.exit_code == status, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_json_object_per_file(media: Path, tmp_path: Path) -> None:
    names = ["face.png", "grey.png", "notes.mp4", "nosuch.mp4"]
    write_bundle(tmp_path)
    files = [media / name for name in names]
    found = lines(run("score", "--json", "--model", tmp_path, *files), status=1)
    assert [Path(each["uri"]).name for each in found] == names
    assert [each["outcome"] for each in found] == ["unsure", "no_face", "not_media", "unreachable"]
    for each in found:
        assert each.keys() == {
            "uri", "outcome", "reason", "probability", "persons", "coverage", "model"
        }  # fmt: skip
        assert each["probability"] is None
        assert each["model"]["name"] == "tiny"
    assert found[0]["reason"] == "untrained model"
    assert len(found[0]["persons"]) == 1
    assert "No such file" in found[3]["reason"]


def test_a_calibrated_model_answers_with_a_probability(media: Path, tmp_path: Path) -> None:
    write_bundle(
        tmp_path,
        untrained=False,
        calibration=CALIBRATION,
        thresholds=THRESHOLDS | {"real": 0.0, "fake": 0.0},
    )
    [found] = lines(run("score", "--json", "--model", tmp_path, media / "face.png"))
    assert found["outcome"] == "fake"
    assert 0 < found["probability"] < 1
    assert found["persons"][0]["segments"][0]["probability"] is not None


def test_text_is_for_people_and_evidence_is_written(media: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "model")
    out = tmp_path / "out"
    result = run("score", "--model", tmp_path / "model", "--evidence", out, media / "face.png")
    assert result.exit_code == 0, result.output
    assert "UNSURE (untrained model)" in result.stdout
    assert re.search(r"\n    raw score \d", result.stdout), "a picture has no moment to name"
    written = {path.name: cv2.imread(str(path)) for path in (tmp_path / "out").iterdir()}
    assert written.keys() == {"face.png-person1.jpg", "face.png-person1-frame.jpg"}
    frame = written["face.png-person1-frame.jpg"]
    assert frame is not None
    assert frame.shape == (512 + 28, 512, 3), "the picture, and a line that says what it shows"


def test_a_model_with_heads_shows_where_each_of_them_looks(media: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "model", architecture={"trunk": "multi_attention_b4", "width": 8})
    asked = ("score", "--model", tmp_path / "model", "--evidence", tmp_path / "out")
    result = run(*asked, media / "face.png")
    assert result.exit_code == 0, result.output
    assert "evidence: " in result.stdout
    page = cv2.imread(str(tmp_path / "out" / "face.png-person1-attention.jpg"))
    sheet = cv2.imread(str(tmp_path / "out" / "face.png-person1.jpg"))
    assert page is not None
    assert sheet is not None
    assert page.shape[0] > sheet.shape[0] + 2 * SIDE, "a row for each head below the faces"
    faces = page[54:, 116 : 116 + SIDE]
    assert faces[:SIDE].std() > 5, "the face stands above them"


def test_a_file_that_could_not_be_read_is_told_by_the_status(media: Path, tmp_path: Path) -> None:
    """Wherever it stands; what was read and can't be judged has its answer."""
    write_bundle(tmp_path / "model")
    asked = ("score", "--model", tmp_path / "model")
    missing = run(*asked, media / "nosuch.mp4", media / "grey.png")
    assert missing.exit_code == 1
    assert "nosuch.mp4: UNREACHABLE" in missing.stdout
    assert "grey.png: NO_FACE" in missing.stdout
    assert run(*asked, media / "grey.png", media).exit_code == 1, "a folder is no file"
    assert run(*asked, media / "notes.mp4", media / "grey.png").exit_code == 0


def test_json_names_the_pictures_and_what_each_frame_says(media: Path, tmp_path: Path) -> None:
    film = one_face(40, lambda frame: (250.0 + frame, 180.0), size=(480, 360))
    (tmp_path / "film.mp4").write_bytes(coded(film.pictures))
    spec = ScanSpec(frames=4, windows=3, min_frames=1).to_json()
    write_bundle(tmp_path / "model", spec=spec)
    files = [media / "face.png", tmp_path / "film.mp4"]
    asked = ("score", "--json", "--model", tmp_path / "model")
    result = run(*asked, "--evidence", tmp_path / "out", *files)
    found = lines(result)
    named = [Path(path) for each in found for path in each["persons"][0]["evidence"].values()]
    assert sorted(named) == sorted((tmp_path / "out").iterdir())
    for each, file in zip(found, files, strict=True):
        [person] = each["persons"]
        assert person["evidence"] == {
            "sheet": str(tmp_path / "out" / f"{file.name}-person1.jpg"),
            "frame": str(tmp_path / "out" / f"{file.name}-person1-frame.jpg"),
        }
        for segment in person["segments"]:
            assert segment.keys() == {
                "start_s", "end_s", "raw", "probability", "telling_s", "frame_scores"
            }  # fmt: skip
    [picture], windows = (each["persons"][0]["segments"] for each in found)
    assert picture["frame_scores"] == [pytest.approx(picture["raw"], abs=0.05)]
    assert [len(each["frame_scores"]) for each in windows] == [4, 4, 4]
    without = lines(run(*asked, *files))
    assert [each["persons"][0]["evidence"] for each in without] == [{}, {}]


def test_where_evidence_cannot_be_written_the_verdict_is_told(media: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "model")
    (tmp_path / "taken").write_text("a file, no folder")
    asked = (
        "score",
        "--json",
        "--model",
        tmp_path / "model",
        "--evidence",
        tmp_path / "taken" / "out",
    )
    result = run(*asked, media / "face.png")
    assert "no evidence of" in result.stderr
    [found] = lines(result, status=1)
    assert (found["outcome"], found["persons"][0]["evidence"]) == ("unsure", {})


def test_a_film_judged_in_single_pictures_has_seconds_and_a_chart(
    media: Path, tmp_path: Path
) -> None:
    film = one_face(40, lambda frame: (250.0 + frame, 180.0), size=(480, 360))
    (tmp_path / "film.mp4").write_bytes(coded(film.pictures))
    spec = ScanSpec(frames=1, windows=3, min_frames=1).to_json()
    write_bundle(tmp_path / "model", spec=spec)
    asked = ("score", "--model", tmp_path / "model", "--evidence", tmp_path / "out")
    result = run(*asked, tmp_path / "film.mp4", media / "face.png")
    assert result.exit_code == 0, result.output
    moments = re.findall(r"\n +(\d+\.\d\d) s +raw score \d", result.stdout)
    assert len(moments) == len(set(moments)) == 3
    assert len(re.findall(r"\n    raw score \d", result.stdout)) == 1, "that of the picture"
    names = ("film.mp4-person1.jpg", "face.png-person1.jpg")
    sheets = [cv2.imread(str(tmp_path / "out" / name)) for name in names]
    assert sheets[0] is not None
    assert sheets[1] is not None
    assert sheets[0].shape[0] > sheets[1].shape[0] + 100, "a film has a course in time"


def test_evidence_of_two_files_of_one_name_is_kept_apart(media: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "model")
    files = [tmp_path / folder / "face.png" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes((media / "face.png").read_bytes())
    asked = ("score", "--model", tmp_path / "model", "--evidence")
    assert run(*asked, tmp_path / "out", *files).exit_code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"face.png-person1.jpg", "face.png-2-person1.jpg"} < names
    (tmp_path / "taken").write_text("a file, no folder")
    refused = run(*asked, tmp_path / "taken" / "out", files[0])
    assert refused.exit_code == 1
    assert "no evidence of" in refused.output


def test_a_name_that_is_no_text_stops_nothing(media: Path, tmp_path: Path) -> None:
    """Archives hold names of other times and systems; one may want to steer the terminal."""
    write_bundle(tmp_path / "model")
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9\x1b[2J.png"))
    odd.write_bytes((media / "face.png").read_bytes())
    asked = ("score", "--model", tmp_path / "model")
    told = run(*asked, "--evidence", tmp_path / "out", odd, media / "grey.png")
    assert told.exit_code == 0, told.output
    assert r"caf\udce9\x1b[2J.png: UNSURE" in told.stdout
    assert "grey.png: NO_FACE" in told.stdout
    assert len(list((tmp_path / "out").iterdir())) == 2
    [found] = lines(run(*asked, "--json", odd))
    assert Path(found["uri"]) == odd
    sheet, page = tmp_path / "sheet.png", tmp_path / "page.html"
    shown = run("faces", odd, "--sheet", sheet, "--page", page)
    assert (shown.exit_code, sheet.exists()) == (0, True)
    assert r"caf\udce9\x1b[2J.png" in page.read_text()


def test_of_an_animation_it_is_told_how_much_was_looked_at(tmp_path: Path) -> None:
    untyped: Any = skimage.data
    face = Image.fromarray(untyped.astronaut())
    film = tmp_path / "face.webp"
    face.save(film, save_all=True, append_images=[face.rotate(i) for i in range(1, 7)], duration=80)
    write_bundle(tmp_path / "model")
    [found] = lines(run("score", "--json", "--model", tmp_path / "model", film))
    assert found["coverage"] > 0.9
    assert len(found["persons"]) == 1


def test_wrong_usage_is_refused_before_anything_is_read(media: Path) -> None:
    assert run("score", "--frames", "13", media / "face.png").exit_code == 2
    unknown = run("score", "--model", "nosuch", media / "face.png")
    assert unknown.exit_code == 2
    assert "no model `nosuch`" in unknown.output


def test_inspect_says_what_to_expect(tmp_path: Path) -> None:
    write_bundle(tmp_path, untrained=False, calibration=CALIBRATION, thresholds=THRESHOLDS)
    result = run("model", "inspect", tmp_path, "--base-rate", "0.02")
    assert result.exit_code == 0, result.output
    assert "98 false alarms, 10 fakes missed, 1030 for a person" in " ".join(result.stdout.split())


def test_inspect_says_values_whole_and_numbers_rounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is piped, which looks like a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    about = "made by a test that has a great deal to say about what it has made, and says it all"
    odd = {"real": 0.1708466233778297, "fake": 0.9}
    bundle = write_bundle(
        tmp_path,
        about=about,
        untrained=False,
        calibration=CALIBRATION,
        thresholds=THRESHOLDS | odd,
    )
    told = run("model", "inspect", tmp_path).stdout
    said = dict(re.split(r"  +", line, maxsplit=1) for line in told.splitlines() if "  " in line)
    assert said["digest"] == bundle.digest
    assert said["about"] == about
    assert said["thresholds"] == "real below 0.1708, fake from 0.9"
    assert said["scan spec"].endswith("windows of 20 frames")


def test_verify_finds_a_changed_byte(tmp_path: Path) -> None:
    assert run("model", "verify", "lite").exit_code == 0
    folder = tmp_path / "bundle"
    write_bundle(folder, golden={
        "file": "golden.png", "sha256": "0" * 64, "margin": 0.0, "tolerance": 0.1
    })  # fmt: skip
    (folder / "golden.png").write_bytes(b"".join(frame.tobytes() for frame in drawn_clip(1)))
    result = run("model", "verify", folder)
    assert result.exit_code == 1
    assert "`golden.png` has digest" in result.output


def test_convert_refuses_what_is_no_checkpoint(tmp_path: Path) -> None:
    source = tmp_path / "model_97_acc_100_frames_FF_data.pt"
    source.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    result = run("model", "convert", source, tmp_path / "out")
    assert result.exit_code == 1
    assert "is refused" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("encoding", "off"), [("bf16", 0.02), ("int8", 0.02), ("fp32", 0.0)])
def test_a_model_is_stored_otherwise_and_says_the_same(
    tmp_path: Path, encoding: str, off: float
) -> None:
    said = write_bundle(
        tmp_path / "one", untrained=False, calibration=CALIBRATION, thresholds=THRESHOLDS
    ).description
    result = run("model", "encode", tmp_path / "one", tmp_path / "other", "--encoding", encoding)
    assert result.exit_code == 0, result.output
    assert f"tiny in {encoding}" in result.stdout
    stored = find_bundle(str(tmp_path / "other"))
    assert stored.description.weights.encoding == encoding
    assert (stored.description.calibration, stored.description.thresholds) == (
        said.calibration,
        said.thresholds,
    )
    one, other = (
        load(find_bundle(str(tmp_path / name)), "cpu", "fp32").margins([window(8, seed=1)])[0]
        for name in ("one", "other")
    )
    assert other.window == pytest.approx(one.window, abs=off)


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    write_bundle(tmp_path / "one")
    result = run("model", "encode", tmp_path / "one", tmp_path / "one")
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
