"""`unmask compare`, and how the multi-attentional network learns."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.making.bundles import write_bundle
from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.errors import Unusable
from unmask.model.bundle import open_bundle
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.variants.attention import HEADS, TEXTURES
from unmask.spec import ScanSpec
from unmask.train.frames import FAKE, REAL
from unmask.train.learner import Learner
from unmask.train.recipe import Recipe, find_recipe, read_recipe
from unmask.train.runs import BUNDLE, open_run
from unmask.train.start import Job, draft
from unmask.train.start_clips import _clip_network
from unmask.train.variants.attentive import AttentiveClips
from unmask.train.variants.comparing import beside, compared
from unmask.train.variants.configurations import configurations
from unmask.train.variants.regional import Regional, blurred_where_seen


def videos(folder: Path) -> Path:
    """With one real and one fake on each of the three sides."""
    listed = write_videos(folder)
    sides = {2: "train", 3: "train", 4: "validation", 5: "validation", 6: "test", 7: "test"}
    rows = [
        f"{number}.mp4,{'fake' if number % 2 else 'real'},p{number},made,{side}"
        for number, side in sides.items()
    ]
    listed.write_text("\n".join(["path,label,identities,method,part", *rows]) + "\n")
    return listed


def test_four_configurations_stand_in_one_table(tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(CLIPS | {"frames": 1}))
    done = CliRunner().invoke(
        app,
        [
            "compare", str(videos(tmp_path)), "--out", str(tmp_path / "out"), "--device", "cpu",
            "--recipe", str(tmp_path / "tiny.json"),
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    names = ["trunk frozen", "last 4 blocks", "last 8 blocks", "transformer after block 11"]
    assert list(found) == names
    for name in names:
        assert name in done.output
        assert found[name].keys() == {"train", "validation", "test"}
        assert all(0 <= part["accuracy"]["value"] <= 1 for part in found[name].values())
        assert [part["videos"] for part in found[name].values()] == [2, 2, 2]
    assert done.output.count(" of 2") == len(names) * 3
    last = open_bundle(tmp_path / "out" / "tiny-clips-4" / "bundle")
    assert last.architecture.transformer_after == 11
    assert last.description.quality is not None
    assert "test groups, auc" in last.description.quality
    assert "row: transformer after block 11" in done.output


def test_a_row_that_is_there_is_measured_again_and_not_trained_again(tmp_path: Path) -> None:
    """It stands on another trunk than the four, so it can't begin with their file's weights."""
    said: list[str] = []
    recipe = tiny(name="also", trunk="compact")
    job = Job(
        data=videos(tmp_path), folder=tmp_path / "out", recipe=tiny(), device="cpu",
        trunk_weights="mobilenet.pth", data_names=("list.csv",), say=said.append,
    )  # fmt: skip
    [(name, row)] = compared(job, {"a fifth": recipe})
    assert name == "a fifth"
    assert "a fifth: mobilenet.pth is of another trunk, so this one begins without weights" in said
    digest = open_bundle(tmp_path / "out" / "also" / "bundle").digest
    assert list(compared(job, {"a fifth": recipe})) == [(name, row)]
    assert open_bundle(tmp_path / "out" / "also" / "bundle").digest == digest
    with pytest.raises(Unusable, match="holds a row of other data"):
        list(compared(dataclasses.replace(job, data_names=("other",)), {"a fifth": recipe}))
    other = dataclasses.replace(job, recipe=recipe, trunk_weights="compact.pth")
    with pytest.raises(Unusable, match=r"other first weights \(none, now compact.pth\)"):
        list(compared(other, {"a fifth": recipe}))
    with job.data.open("a") as file:
        file.write(job.data.read_text().splitlines()[-1] + "\n")
    with pytest.raises(Unusable, match=r"other data \(list.csv, 6 items, now list.csv, 7 items\)"):
        list(compared(job, {"a fifth": recipe}))


def test_it_is_told_where_chance_would_be_frozen(tmp_path: Path) -> None:
    said: list[str] = []
    rows = configurations(tiny())
    job = Job(
        data=videos(tmp_path), folder=tmp_path / "out", recipe=tiny(), device="cpu",
        say=said.append,
    )  # fmt: skip
    list(compared(job, {"trunk frozen": rows["trunk frozen"]}))
    assert any("trunk frozen: nothing was learned before" in one for one in said)


def test_a_folder_with_rows_of_another_trunk_is_refused(tmp_path: Path) -> None:
    before, now = (configurations(tiny(**own)) for own in ({}, {"trunk": "resnext50_32x4d"}))
    row = tmp_path / "out" / "tiny-clips-1"
    open_run(row, before["trunk frozen"], {})
    (row / BUNDLE).mkdir()
    job = Job(
        data=videos(tmp_path), folder=tmp_path / "out", recipe=now["trunk frozen"], device="cpu"
    )
    with pytest.raises(Unusable, match="a run of recipe tiny-clips-1 with another `trunk`"):
        list(compared(job, now))


def test_a_finished_bundle_stands_beside_the_rows(tmp_path: Path) -> None:
    """On the same sides, cut by its own scan spec."""
    own = ScanSpec(frames=2, min_frames=1)
    bundle = write_bundle(tmp_path / "model", spec=own.to_json())
    job = Job(data=videos(tmp_path), folder=tmp_path / "out", recipe=tiny(), device="cpu")
    [(name, row)] = beside(job, [bundle])
    assert name == bundle.name
    assert list(row) == ["train", "validation", "test"]
    # One real and one fake: right of none, one or both.
    assert {part.accuracy.value for part in row.values()} <= {0.0, 0.5, 1.0}
    assert [part.videos for part in row.values()] == [2, 2, 2]
    cut = {folder.name: len(list(folder.iterdir())) for folder in (job.folder / "clips").iterdir()}
    assert cut[own.digest] == 6


def test_a_bundle_beside_a_row_needs_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(CLIPS | {"name": "same"}))
    bundle = write_bundle(tmp_path / "model", name="same")
    more = ["--also", str(tmp_path / "one.json"), "--beside", str(bundle.folder)]
    done = CliRunner().invoke(app, ["compare", str(tmp_path), "--out", str(tmp_path / "o"), *more])
    assert done.exit_code == 1
    assert "two rows would be called same" in done.output


def tiny(**changes: str | int) -> Recipe:
    return read_recipe(json.dumps(CLIPS | changes).encode(), "tiny")


@pytest.mark.parametrize(("trained", "still"), [(0, 19), (4, 14)])
def test_a_row_leaves_its_frozen_layers_as_they_were(
    tmp_path: Path, trained: int, still: int
) -> None:
    """Of MobileNetV2's 19 parts, weights and running statistics, before and after two steps."""
    recipe = tiny(trained_blocks=trained)
    job = Job(data=tmp_path, folder=tmp_path, recipe=recipe)
    model = _clip_network(job, ScanSpec(size=48)).train()
    learner = Learner(model=model, recipe=recipe)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    faces = torch.randint(0, 256, (2, 2, 48, 48, 3), dtype=torch.uint8)
    for _ in range(2):
        learner.optimiser.zero_grad()
        torch.autograd.backward(model.loss(list(faces), torch.tensor([FAKE, REAL]), recipe))
        learner.learn(0.01)
        with learner.averaged():
            pass  # a validation makes the network ready to learn again
    same = {name for name, each in model.state_dict().items() if torch.equal(each, before[name])}
    trunk = {name for name in before if name.startswith("network.trunk.")}
    front = {name for name in trunk if int(name.split(".")[2]) < still}
    assert any("running_mean" in name for name in front)
    assert same & trunk == front
    assert "network.lstm.weight_ih_l0" in before.keys() - same


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(json.dumps(CLIPS | {"name": "same"}))
    also = [word for name in ("one", "two") for word in ("--also", str(tmp_path / f"{name}.json"))]
    done = CliRunner().invoke(app, ["compare", str(tmp_path), "--out", str(tmp_path / "o"), *also])
    assert done.exit_code == 1
    assert "two rows would be called same" in done.output


def test_recipes_for_crops_cannot_be_compared(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["compare", str(tmp_path), "--out", str(tmp_path / "out"), "--recipe", "strong"]
    )
    assert done.exit_code == 1
    assert "learn from clips" in done.output


def test_heads_that_look_alike_are_pushed_apart() -> None:
    regional = Regional().eval()
    fake = torch.tensor([True, False])
    alike = torch.ones(1, HEADS, TEXTURES).expand(2, -1, -1)
    regional.centres.copy_(torch.nn.functional.normalize(torch.ones(HEADS, TEXTURES), dim=1))
    apart = torch.eye(HEADS, TEXTURES)[None].expand(2, -1, -1)
    assert float(regional(alike, fake)) == pytest.approx(0.2, abs=1e-3)
    regional.centres.copy_(torch.eye(HEADS, TEXTURES))
    assert float(regional(apart, fake)) == pytest.approx(0.0, abs=1e-6)


def test_centres_follow_only_while_learning() -> None:
    torch.manual_seed(1)
    regional, heads = Regional(), torch.rand(3, HEADS, TEXTURES)
    before = regional.centres.clone()
    regional.eval()(heads, torch.tensor([True, False, True]))
    assert torch.equal(regional.centres, before)
    regional.train()(heads, torch.tensor([True, False, True]))
    assert not torch.equal(regional.centres, before)


def test_a_picture_is_blurred_where_a_head_looks_and_nowhere_else() -> None:
    planes = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    attention = torch.zeros(2, 1, 4, 4)
    attention[:, :, :2] = 1.0
    worse = blurred_where_seen(planes, attention)
    assert torch.equal(worse[:, :, 30:], planes[:, :, 30:])
    assert float(worse[:, :, :10].std()) < 0.6 * float(planes[:, :, :10].std())


def test_a_step_of_the_multi_attentional_network_lowers_its_loss() -> None:
    torch.manual_seed(4)
    recipe = find_recipe("multi-attention")
    said = draft(recipe, ScanSpec(size=48))
    model = AttentiveClips(Network(said.architecture), Pixels(said)).train()
    faces = torch.randint(0, 256, (2, 2, 48, 48, 3), dtype=torch.uint8)
    faces[0] //= 4
    wanted = torch.tensor([FAKE, REAL])
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        torch.manual_seed(5)
        loss = model.loss(list(faces), wanted, recipe)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    heads = [p for name, p in model.named_parameters() if ".heads." in name]
    assert heads
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in heads)
