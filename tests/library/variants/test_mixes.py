"""Mixes of data sets with quotas, single pictures of videos, and a frame limit from a mean."""

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.made.film import coded, one_face
from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.model.bundle import open_bundle
from unmask.train import recipe as recipes
from unmask.train.crops import BadData
from unmask.train.sets import find_items
from unmask.train.sets.item import Item
from unmask.train.start_clips import clips_spec
from unmask.train.variants.mean_length import mean_frames


def many(folder: Path, reals: int, fakes: int) -> None:
    for name, count in (("real", reals), ("fake", fakes)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.mp4").write_bytes(b"x")


def mix(folder: Path, *parts: tuple[str, int, int]) -> Path:
    shares = [{"data": data, "real": real, "fake": fake} for data, real, fake in parts]
    path = folder / "mix.json"
    path.write_text(json.dumps({"name": "small", "parts": shares}))
    return path


def drawn(path: Path) -> list[tuple[str, bool]]:
    return [(str(item.path.relative_to(path.parent)), item.fake) for item in find_items(path)]


def test_quotas_are_kept_for_each_class_of_each_set(tmp_path: Path) -> None:
    many(tmp_path / "a", 9, 7)
    many(tmp_path / "b", 5, 5)
    found = drawn(mix(tmp_path, ("a", 4, 6), ("b", 2, 1)))
    counts = [
        sum(name.startswith(f"{data}/") and fake == side for name, fake in found)
        for data in ("a", "b")
        for side in (False, True)
    ]
    assert counts == [4, 6, 2, 1]


def test_a_larger_quota_holds_what_a_smaller_one_held(tmp_path: Path) -> None:
    many(tmp_path / "a", 20, 20)
    few = set(drawn(mix(tmp_path, ("a", 3, 3))))
    more = set(drawn(mix(tmp_path, ("a", 9, 5))))
    assert few < more
    assert set(drawn(mix(tmp_path, ("a", 3, 3)))) == few


def test_namesakes_of_two_sets_are_two_people(tmp_path: Path) -> None:
    many(tmp_path / "a", 1, 1)
    many(tmp_path / "b", 1, 1)
    people = [item.identities for item in find_items(mix(tmp_path, ("a", 1, 1), ("b", 1, 1)))]
    assert people == [("1:0",), ("1:0",), ("2:0",), ("2:0",)]


def celebrities(folder: Path, people: int) -> None:
    for name in ("Celeb-real", "Celeb-synthesis", "YouTube-real"):
        (folder / name).mkdir(parents=True)
    for one in range(people):
        (folder / "Celeb-real" / f"id{one}_0000.mp4").write_bytes(b"x")
        fake = f"id{one}_id{(one + 1) % people}_0000.mp4"
        (folder / "Celeb-synthesis" / fake).write_bytes(b"x")


def test_people_of_two_versions_of_a_public_set_are_the_same_people(tmp_path: Path) -> None:
    celebrities(tmp_path / "v1", 2)
    celebrities(tmp_path / "v2", 3)
    many(tmp_path / "mine", 1, 1)
    found = find_items(mix(tmp_path, ("v1", 2, 0), ("mine", 1, 0), ("v2", 3, 0)))
    people = [name for item in found for name in item.identities]
    known = [f"Celeb-DF:id{one}" for one in (0, 1, 2)]
    assert sorted(people) == sorted(["2:0", *known[:2], *known])


def test_lists_beside_each_other_name_the_same_people(tmp_path: Path) -> None:
    many(tmp_path / "a", 2, 1)
    for name, listed in (("one", "real/0.mp4"), ("two", "real/1.mp4")):
        row = f"path,label,identities\n{listed},real,ann\n"
        (tmp_path / "a" / f"{name}.csv").write_text(row)
    found = find_items(mix(tmp_path, ("a/one.csv", 1, 0), ("a/two.csv", 1, 0)))
    assert [item.identities for item in found] == [("1:ann",), ("1:ann",)]


def test_a_file_is_drawn_once_whatever_its_set_is_called(tmp_path: Path) -> None:
    many(tmp_path / "a", 1, 1)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    path = mix(tmp_path, ("a", 1, 0), ("link", 1, 1))
    with pytest.raises(BadData, match=r"draws .*link/real/0\.mp4 twice, for parts 1 and 2"):
        find_items(path)
    apart = mix(tmp_path, ("a", 1, 0), ("link", 0, 1))
    assert [item.identities for item in find_items(apart)] == [("1:0",), ("1:0",)]


def test_a_mix_is_no_part_of_a_mix(tmp_path: Path) -> None:
    many(tmp_path / "a", 1, 1)
    mix(tmp_path, ("a", 1, 1)).rename(tmp_path / "inner.json")
    with pytest.raises(BadData, match=r"inner\.json as a part; name its data sets"):
        find_items(mix(tmp_path, ("inner.json", 1, 1)))


def test_dfdcs_sound_only_fakes_fill_no_quota(tmp_path: Path) -> None:
    part = tmp_path / "dfdc"
    part.mkdir()
    scene = one_face(6, partial(_at, 250.0), size=(480, 360))
    (part / "real.mp4").write_bytes(coded(scene.pictures))
    (part / "sound.mp4").write_bytes(coded(scene.pictures))
    for picture in scene.pictures:
        picture[100:260, 180:320] = 255 - picture[100:260, 180:320]
    (part / "swapped.mp4").write_bytes(coded(scene.pictures))
    said = {
        name: {"label": "FAKE", "original": "real.mp4"} for name in ("sound.mp4", "swapped.mp4")
    }
    (part / "metadata.json").write_text(json.dumps(said | {"real.mp4": {"label": "REAL"}}))
    found = find_items(mix(tmp_path, ("dfdc", 1, 1)))
    assert [item.path.name for item in found] == ["real.mp4", "swapped.mp4"]
    with pytest.raises(BadData, match="wants 2 fake items of dfdc; it has 1"):
        find_items(mix(tmp_path, ("dfdc", 1, 2)))


def _at(x: float, frame: int) -> tuple[float, float]:
    return x, 180.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "is no mix"),
        ('{"name": "x", "parts": []}', "parts"),
        ('{"name": "x", "parts": [{"data": "a", "real": -1, "fake": 1}]}', r"parts\.0\.real"),
        ('{"name": "x", "parts": [{"data": "a", "real": 1}]}', r"parts\.0\.fake"),
    ],
)
def test_a_file_that_is_no_mix_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mix.json").write_text(text)
    with pytest.raises(BadData, match=says):
        find_items(tmp_path / "mix.json")


def test_single_pictures_of_a_mix_are_learned_from(tmp_path: Path) -> None:
    write_videos(tmp_path)
    path = mix(tmp_path, ("list.csv", 4, 4))
    (tmp_path / "tiny.json").write_text(json.dumps(CLIPS | {"clips": "pictures", "name": "stills"}))
    done = CliRunner().invoke(
        app,
        [
            "train", str(path), "--out", str(tmp_path / "run"), "--device", "cpu",
            "--recipe", str(tmp_path / "tiny.json"),
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    spec = open_bundle(tmp_path / "run" / "bundle").spec
    assert (spec.frames, spec.windows) == (1, 3)
    [manifest, *_] = sorted((tmp_path / "run" / "clips" / spec.digest).glob("*/manifest.json"))
    frames = json.loads(manifest.read_text())["persons"][0]["frames"]
    assert [frame["window"] for frame in frames] == list(range(len(frames)))
    assert len(frames) > 1


def test_fifteen_pictures_a_video() -> None:
    spec = clips_spec(recipes.find_recipe("configurations"))
    assert (spec.frames, spec.windows) == (1, 15)


def test_the_mean_length_of_videos(tmp_path: Path) -> None:
    items = []
    for number, length in enumerate((6, 12)):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(coded(one_face(length, partial(_at, 250.0), size=(480, 360)).pictures))
        items.append(Item(path=path, fake=False, identities=(str(number),)))
    assert mean_frames(items) == 9
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(BadData, match="no mean"):
        mean_frames([Item(path=tmp_path / "no.mp4", fake=False, identities=("x",))])


@pytest.mark.parametrize("asked", ["0", "many"])
def test_a_frame_limit_is_a_number_or_the_mean(tmp_path: Path, asked: str) -> None:
    done = CliRunner().invoke(
        app, ["train", str(tmp_path), "--out", str(tmp_path / "o"), "--frames", asked]
    )
    assert done.exit_code == 1
    assert "number from 1 or `mean`" in done.output


@pytest.mark.parametrize("recipe", ["strong", "configurations"])
def test_a_mean_is_no_limit_where_no_first_frames_are_taken(tmp_path: Path, recipe: str) -> None:
    words = ["train", str(tmp_path), "--out", str(tmp_path / "o"), "--recipe", recipe]
    done = CliRunner().invoke(app, [*words, "--frames", "mean"])
    assert done.exit_code == 1
    assert f"recipe {recipe} does not take those" in " ".join(done.output.split())
