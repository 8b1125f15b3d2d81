"""Tars, splits and layouts: what is read, and what is refused by name."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.making.crops import jpeg, picture, write_crops, write_tar
from unmask.train.crops import BadData
from unmask.train.landmarks import landmarks
from unmask.train.sets import find_items
from unmask.train.splits import Shares, check_leaks, joined, part_of, split
from unmask.train.tars import find_tars, load_crops, read_tar


def test_crops_are_read_with_labels_and_groups(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 3)
    crops = load_crops(find_tars(tmp_path / "data"), tmp_path / "cache")
    assert crops.names[:2] == ("real0000", "fake0000")
    assert crops.fake.tolist() == [False, True] * 3
    assert crops.groups == (
        "group0000",
        "group0000",
        "group0001",
        "group0001",
        "group0002",
        "group0002",
    )
    close = np.abs(crops.pictures[1].astype(int) - picture(1, fake=True)).mean()
    assert close < 3


def test_a_second_look_reads_the_decoded_copy(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 2)
    tars = find_tars(tmp_path / "data")
    first = load_crops(tars, tmp_path / "cache")
    second = load_crops(tars, tmp_path / "cache")
    assert np.array_equal(first.pictures, second.pictures)
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1


GOOD = jpeg(picture(0, fake=False))
LABEL = json.dumps({"label": "real", "group": "a"}).encode()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"a.jpg": GOOD}, "lack a picture or a label: a"),
        ({"a.jpg": GOOD, "a.json": b"{}"}, "a.json needs `label`"),
        ({"a.jpg": GOOD, "a.json": b'{"label": "maybe", "group": "a"}'}, "a.json needs `label`"),
        ({"a.jpg": b"no picture", "a.json": LABEL}, "the picture of a can't be decoded"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, entries: dict[str, bytes], says: str) -> None:
    path = write_tar(tmp_path / "bad.tar", entries)
    with pytest.raises(BadData, match=says):
        list(read_tar(path))


def test_a_tar_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = write_crops(tmp_path, 4)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadData, match="can't be read to its end"):
        list(read_tar(path))


def test_a_tar_that_was_cut_off_between_two_entries_is_named(tmp_path: Path) -> None:
    path = write_crops(tmp_path, 4)
    with tarfile.open(path) as tar:
        ends = [member.offset for member in tar]
    path.write_bytes(path.read_bytes()[: ends[4]])
    with pytest.raises(BadData, match="no end mark, as if it was cut off"):
        list(read_tar(path))


def test_namesakes_in_two_folders_are_two_pictures(tmp_path: Path) -> None:
    one, other = jpeg(picture(1, fake=False)), jpeg(picture(2, fake=False))
    entries = {"a/x.jpg": one, "b/x.jpg": other, "b/x.json": LABEL, "a/x.json": LABEL}
    found = {each.name: each.picture for each in read_tar(write_tar(tmp_path / "a.tar", entries))}
    assert found.keys() == {"a/x", "b/x"}
    assert np.abs(found["a/x"].astype(int) - picture(1, fake=False)).mean() < 3


def test_a_label_that_was_mended_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    for label, fake in (("real", False), ("fake", True)):
        said = json.dumps({"label": label, "group": "a"}).encode()
        write_tar(path, {"a.jpg": GOOD, "a.json": said})
        os.utime(path, ns=(len(label), 7 + fake))
        assert load_crops([path], tmp_path / "cache").fake.tolist() == [fake]


def test_landmarks_of_other_pictures_are_not_taken_for_these(tmp_path: Path) -> None:
    found = []
    for first in (0, 50):
        write_crops(tmp_path / str(first), 2, first)
        crops = load_crops(find_tars(tmp_path / str(first)), tmp_path / "cache")
        found += [landmarks(crops, tmp_path / "cache") for _ in range(2)]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[2], found[3])
    assert not np.array_equal(found[1], found[2])


def test_a_folder_without_tars_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no \.tar"):
        find_tars(tmp_path)


def test_groups_stay_together_and_shares_hold() -> None:
    shares = Shares(validation=0.1, test=0.2)
    parts = [part_of(f"video{i}", shares) for i in range(5000)]
    assert parts == [part_of(f"video{i}", shares) for i in range(5000)]
    assert parts.count("test") == pytest.approx(1000, abs=90)
    assert parts.count("validation") == pytest.approx(500, abs=70)


def test_no_group_stands_on_two_sides(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 60)
    crops = load_crops(find_tars(tmp_path / "data"), tmp_path / "cache")
    parts = split(crops, Shares(validation=0.2, test=0.2))
    sides = {part: {crops.groups[i] for i in indices} for part, indices in parts.items()}
    assert sum(len(indices) for indices in parts.values()) == len(crops)
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["validation"]


def test_a_leak_is_found() -> None:
    with pytest.raises(BadData, match="`033` stands in train and in test"):
        check_leaks({"train": ["033", "097"], "test": ["441", "033"]})


def test_a_part_without_fakes_is_refused(tmp_path: Path) -> None:
    entries = {}
    for index in range(40):
        entries[f"a{index}.jpg"] = GOOD
        entries[f"a{index}.json"] = json.dumps({"label": "real", "group": str(index)}).encode()
    write_tar(tmp_path / "a.tar", entries)
    crops = load_crops(find_tars(tmp_path), tmp_path / "cache")
    with pytest.raises(BadData, match="holds no fake picture"):
        split(crops, Shares())


def test_identities_that_meet_in_any_chain_are_one_group() -> None:
    groups = joined([("033", "097"), ("441", "097"), ("500",)])
    assert groups["033"] == groups["441"] != groups["500"]


def made(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    return path


def face_forensics(path: Path) -> Path:
    made(
        path,
        *(f"original_sequences/youtube/c23/videos/{one}.mp4" for one in ("033", "097")),
        *(
            f"manipulated_sequences/{method}/{rate}/videos/{pair}.mp4"
            for method, rate in (("Deepfakes", "c23"), ("Face2Face", "c40"))
            for pair in ("033_097", "097_033")
        ),
    )
    (path / "test.json").write_text('[["033", "097"]]')
    return path


def test_face_forensics_by_its_layout(tmp_path: Path) -> None:
    found = {item.name: item for item in find_items(face_forensics(tmp_path))}
    assert found.keys() == {
        "real/033", "real/097", "Deepfakes/033_097", "Deepfakes/097_033", "Face2Face/033_097",
        "Face2Face/097_033",
    }  # fmt: skip
    assert found["Deepfakes/033_097"].identities == ("033", "097")
    assert [item.label for item in found.values()] == ["real"] * 2 + ["fake"] * 4
    assert {item.part for item in found.values()} == {"test"}


def test_actors_are_not_tied_by_what_they_do(tmp_path: Path) -> None:
    made(
        tmp_path,
        "original_sequences/actors/c23/videos/01__kitchen_still.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__kitchen_still__A1B2.mp4",
    )
    assert [item.identities for item in find_items(tmp_path)] == [("01",), ("01", "02")]


def test_dfdc_by_its_description(tmp_path: Path) -> None:
    made(tmp_path, "part_0/aaa.mp4", "part_0/bbb.mp4")
    said = {"aaa.mp4": {"label": "FAKE", "original": "bbb.mp4", "split": "train"},
            "bbb.mp4": {"label": "REAL", "split": "train"}}  # fmt: skip
    (tmp_path / "part_0" / "metadata.json").write_text(json.dumps(said))
    fake, real = find_items(tmp_path)
    assert (fake.fake, real.fake) == (True, False)
    assert fake.identities == real.identities == ("bbb",)


def test_celeb_df_by_its_layout(tmp_path: Path) -> None:
    made(
        tmp_path, "Celeb-real/id0_0000.mp4", "Celeb-synthesis/id0_id1_0000.mp4",
        "YouTube-real/00001.mp4",
    )  # fmt: skip
    (tmp_path / "List_of_testing_videos.txt").write_text("0 Celeb-synthesis/id0_id1_0000.mp4\n")
    found = {item.name: item for item in find_items(tmp_path)}
    assert found["Celeb-DF/id0_id1_0000"].identities == ("id0", "id1")
    assert found["Celeb-DF/id0_id1_0000"].part == "test"
    assert found["real/id0_0000"].part is None
    assert found["real/00001"].identities == ("youtube-00001",)


def test_a_table(tmp_path: Path) -> None:
    made(tmp_path, "a.mp4", "b.mp4")
    (tmp_path / "list.csv").write_text(
        "path,label,identities,method,part\na.mp4,fake,ann bea,FaceSwap,test\nb.mp4,real,,,\n"
    )
    fake, real = find_items(tmp_path / "list.csv")
    assert (fake.method, fake.identities, fake.part) == ("FaceSwap", ("ann", "bea"), "test")
    assert (real.method, real.identities, real.part) == ("real", ("b",), None)


def test_a_sorted_folder(tmp_path: Path) -> None:
    made(tmp_path, "real/a.mp4", "real/old.WMV", "fake/b.jpg", "fake/notes.txt")
    assert [(item.path.name, item.fake) for item in find_items(tmp_path)] == [
        ("a.mp4", False),
        ("old.WMV", False),
        ("b.jpg", True),
    ]


def lacks_a_file(path: Path) -> Path:
    (path / "metadata.json").write_text('{"aaa.mp4": {"label": "REAL"}}')
    return path


def has_an_empty_file(path: Path) -> Path:
    face_forensics(path)
    (path / "original_sequences/youtube/c23/videos/033.mp4").write_bytes(b"")
    return path


def lacks_what_its_lists_name(path: Path) -> Path:
    face_forensics(path)
    (path / "manipulated_sequences/Face2Face/c40/videos/097_033.mp4").unlink()
    return path


def has_a_wrong_label(path: Path) -> Path:
    made(path, "a.mp4")
    (path / "list.csv").write_text("path,label\na.mp4,perhaps\n")
    return path / "list.csv"


def contradicts_itself(path: Path) -> Path:
    made(path, "Celeb-real/id0_0000.mp4", "Celeb-synthesis/id0_id1_0000.mp4")
    (path / "List_of_testing_videos.txt").write_text("1 Celeb-synthesis/id0_id1_0000.mp4\n")
    return path


def is_nothing_we_know(path: Path) -> Path:
    return made(path, "holiday/a.mp4")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lacks_a_file, r"1 of 1 files are missing, .*aaa\.mp4 among them"),
        (has_an_empty_file, "1 files are empty"),
        (lacks_what_its_lists_name, r"1 of the videos .* in \S+Face2Face/c40/videos, 097_033"),
        (has_a_wrong_label, "line 2: the label is fake or real, not `perhaps`"),
        (contradicts_itself, "is not that of its folder"),
        (is_nothing_we_know, "none of these layouts: FaceForensics"),
    ],
)
def test_what_is_wrong_is_reported_not_guessed(
    tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    with pytest.raises(BadData, match=says):
        find_items(make(tmp_path))
