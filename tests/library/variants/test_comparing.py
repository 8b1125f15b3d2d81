"""`unmask compare`, and how the multi-attentional network learns."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.model.bundle import open_bundle
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.variants.attention import HEADS, TEXTURES
from unmask.spec import ScanSpec
from unmask.train.frames import FAKE, REAL
from unmask.train.recipe import find_recipe
from unmask.train.start import draft
from unmask.train.variants.attentive import AttentiveClips
from unmask.train.variants.regional import Regional, blurred_where_seen


def test_four_configurations_stand_in_one_table(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    rows = listed.read_text().replace("p6,made,validation", "p6,made,test")
    listed.write_text(rows.replace("p7,made,validation", "p7,made,test"))
    (tmp_path / "tiny.json").write_text(json.dumps(CLIPS))
    command = [
        "compare", str(listed), "--out", str(tmp_path / "out"), "--device", "cpu",
        "--recipe", str(tmp_path / "tiny.json"),
    ]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    names = ["trunk frozen", "last 4 blocks", "last 8 blocks", "transformer after block 11"]
    assert list(found) == names
    for name in names:
        assert name in done.output
        assert found[name].keys() == {"train", "validation", "test"}
        assert all(0 <= part["value"] <= 1 for part in found[name].values())
    last = open_bundle(tmp_path / "out" / "tiny-clips-4" / "bundle")
    assert last.architecture.transformer_after == 11
    assert last.description.quality is not None
    assert "test groups, auc" in last.description.quality
    assert "row: transformer after block 11" in done.output
    # What is there is measured again, not trained again.
    digest = last.digest
    assert CliRunner().invoke(app, command).exit_code == 0
    assert open_bundle(last.folder).digest == digest
    # A further row of another trunk can't begin with the file's weights, and says so.
    (tmp_path / "also.json").write_text(json.dumps(CLIPS | {"name": "also", "trunk": "compact"}))
    further = ["--also", str(tmp_path / "also.json"), "--trunk-weights", "mobilenet.pth"]
    more = CliRunner().invoke(app, [*command, *further])
    assert more.exit_code == 0, more.output
    assert "mobilenet.pth is of another trunk, so this one begins without weights" in more.output
    assert len(json.loads((tmp_path / "out" / "comparison.json").read_text())) == 5
    other = CliRunner().invoke(app, [*command, "--trunk", "resnext50_32x4d"])
    assert other.exit_code == 1
    assert "holds a run of recipe tiny-clips-1 with another `trunk`" in other.output


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
