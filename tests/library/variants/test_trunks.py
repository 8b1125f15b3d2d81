"""Trunks that papers describe: which blocks they have, what stands still, what they answer."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from tests.making.bundles import person, window, write_bundle
from unmask.errors import Unusable
from unmask.model import vision
from unmask.model.bundle import BadBundle
from unmask.model.description import Architecture, Trunk
from unmask.model.fold import fold
from unmask.model.predict import load
from unmask.model.pretrained import first_weights
from unmask.model.seeded import seeded_state
from unmask.model.trunks import TRUNKS, make_trunk
from unmask.model.variants.attention import HEADS, TEXTURES, MultiAttention
from unmask.model.variants.blocks import block_names
from unmask.model.variants.looking import Looking, attention_sheet, stretched
from unmask.train.frozen import Freezing
from unmask.train.recipe import find_recipe, with_values
from unmask.train.variants.configurations import configurations

SIDE = 64


def pictures(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


def seeded(trunk: nn.Module) -> nn.Module:
    """With weights under which answers neither vanish nor explode."""
    own = trunk.state_dict()
    shapes = {f"trunk.{name}": own[name].shape for name in own if "transformer" not in name}
    found = seeded_state(shapes, 7)
    trunk.load_state_dict(own | {name.removeprefix("trunk."): found[name] for name in found})
    return trunk.eval()


@pytest.mark.parametrize(
    ("trunk", "blocks"), [("resnext50_32x4d", 16), ("mobilenet_v2", 17), ("efficientnet_b4", 32)]
)
def test_blocks_are_counted_as_the_papers_count_them(trunk: Trunk, blocks: int) -> None:
    with torch.device("meta"):
        assert len(block_names(TRUNKS[trunk].make())) == blocks


def test_a_transformer_changes_nothing_at_first_and_then_moves_what_is_seen() -> None:
    plain = seeded(TRUNKS["mobilenet_v2"].make())
    with torch.inference_mode():
        before = plain(pictures())
    own = make_trunk(Architecture(trunk="mobilenet_v2", width=8, transformer_after=11), plain)
    with torch.inference_mode():
        after = own.eval()(pictures())
        own.get_parameter("11.transformer.say.bias")[2] += 0.5
        moved = own(pictures())
    largest = float(before.abs().max())
    assert float((after - before).abs().max()) < 1e-3 * largest
    assert float((moved - before).abs().max()) > 1e-1 * largest


@pytest.mark.parametrize("after", [0, 18])
def test_a_transformer_behind_no_block_is_refused(after: int) -> None:
    with pytest.raises((Unusable, ValueError), match=r"no block|greater than or equal"):
        make_trunk(Architecture(trunk="mobilenet_v2", width=8, transformer_after=after))


@pytest.mark.parametrize(
    "built",
    [
        Architecture(trunk="mobilenet_v2", width=8, transformer_after=11),
        Architecture(trunk="multi_attention_b4", width=8),
    ],
)
def test_folding_keeps_what_a_variant_answers(built: Architecture) -> None:
    trunk = seeded(make_trunk(built))
    with torch.inference_mode():
        whole, folded = trunk(pictures()), fold(trunk)(pictures())
    assert float((whole - folded).abs().max()) < 1e-3 * float(whole.abs().max())


def test_first_weights_reach_the_plain_part_of_a_variant(tmp_path: Path) -> None:
    whole = vision.mobilenet_v2(weights=None)
    safetensors.torch.save_file(whole.state_dict(), tmp_path / "a.safetensors")
    built = Architecture(trunk="mobilenet_v2", width=8, transformer_after=11)
    found = first_weights(built, str(tmp_path / "a.safetensors"))
    wanted = whole.features[11].conv[0][0].weight
    assert torch.equal(found["11.block.conv.0.0.weight"], wanted)
    assert found.keys() == make_trunk(built).state_dict().keys()


class Holder(Freezing):
    def __init__(self, trunk: nn.Module, trained: int | None) -> None:
        super().__init__()
        self.trunk = trunk
        self.freeze(trunk, trained)
        self.train()

    @property
    def learning(self) -> set[str]:
        return {name for name, each in self.trunk.named_parameters() if each.requires_grad}


def test_what_stands_still_keeps_its_statistics_and_learns_nothing() -> None:
    held = Holder(TRUNKS["mobilenet_v2"].make(), 4)
    assert {name.split(".")[0] for name in held.learning} == {"14", "15", "16", "17", "18"}
    first, last = held.trunk.get_submodule("0.1"), held.trunk.get_submodule("18.1")
    assert isinstance(first, nn.BatchNorm2d)
    assert isinstance(last, nn.BatchNorm2d)
    assert first.running_mean is not None
    assert last.running_mean is not None
    before = first.running_mean.clone(), last.running_mean.clone()
    held.trunk(pictures()).sum().backward()
    assert torch.equal(first.running_mean, before[0])
    assert not torch.equal(last.running_mean, before[1])


def test_a_frozen_trunk_learns_nothing_and_an_unfrozen_one_everything() -> None:
    assert Holder(TRUNKS["mobilenet_v2"].make(), 0).learning == set()
    every = TRUNKS["mobilenet_v2"].make()
    assert Holder(every, None).learning == {name for name, _ in every.named_parameters()}


def test_a_transformer_always_learns() -> None:
    trunk = make_trunk(Architecture(trunk="mobilenet_v2", width=8, transformer_after=11))
    learning = Holder(trunk, 0).learning
    assert learning
    assert all(".transformer." in name for name in learning)


def test_attention_heads_and_their_textures_always_learn() -> None:
    trunk = TRUNKS["multi_attention_b4"].make()
    assert {name.split(".")[0] for name in Holder(trunk, 0).learning} == {"heads", "texture"}


def test_more_blocks_than_there_are_cannot_be_trained() -> None:
    with pytest.raises(Unusable, match="has 17"):
        Holder(TRUNKS["mobilenet_v2"].make(), 18)


@pytest.mark.parametrize(
    ("trunk", "wanted"),
    [
        ("efficientnet_b4", [(0, None), (8, None), (16, None), (12, 20)]),
        ("resnext50_32x4d", [(0, None), (4, None), (8, None), (6, 10)]),
    ],
)
def test_the_four_configurations(trunk: Trunk, wanted: list[tuple[int, int | None]]) -> None:
    rows = configurations(with_values(find_recipe("configurations"), {"trunk": trunk}))
    assert [(each.trained_blocks, each.transformer_after) for each in rows.values()] == wanted
    assert len({each.name for each in rows.values()}) == 4


@pytest.mark.parametrize("trunk", ["compact", "multi_attention_b4"])
def test_a_trunk_without_plain_blocks_has_no_configurations(trunk: Trunk) -> None:
    with pytest.raises(Unusable, match=f"plain trunk of blocks, not {trunk}"):
        configurations(with_values(find_recipe("configurations"), {"trunk": trunk}))


def test_a_head_that_sees_nothing_adds_nothing() -> None:
    trunk = seeded(make_trunk(Architecture(trunk="multi_attention_b4", width=8)))
    assert isinstance(trunk, MultiAttention)
    convolution = trunk.heads[0]
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.bias is not None
    with torch.inference_mode():
        convolution.bias[1] = -100.0
        seen = trunk.seen(pictures())
        pooled = seen.maps.mean(dim=(2, 3))
    assert seen.attention.shape == (2, HEADS, SIDE // 16, SIDE // 16)
    assert pooled.shape == (2, TRUNKS["multi_attention_b4"].features)
    assert float(pooled[:, TEXTURES : 2 * TEXTURES].abs().max()) == 0.0
    assert float(pooled[:, :TEXTURES].abs().max()) > 0.0
    # The maps' mean over space is the bilinear pooling itself.
    own = pooled[:, : HEADS * TEXTURES].reshape(2, HEADS, TEXTURES)
    assert torch.allclose(own, seen.heads, rtol=1e-3)


def test_attention_comes_out_as_pictures(tmp_path: Path) -> None:
    built = {"trunk": "multi_attention_b4", "width": 8}
    bundle = write_bundle(tmp_path / "heads", architecture=built)
    own = window(2, seed=1)
    [[score]] = load(bundle, "cpu", "fp32").score([person(own)])
    assert 0 <= score.raw <= 1
    found = Looking(bundle).at(list(own.frames))
    assert found.shape[:2] == (2, HEADS)
    assert 0 <= found.min() < found.max() <= 1
    sheet = attention_sheet(list(own.frames), found, "Person 1")
    assert cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR) is not None
    with pytest.raises(Unusable, match="no attention heads"):
        Looking(write_bundle(tmp_path / "plain"))


def test_a_head_that_looks_at_every_place_shows_where_it_looks_most() -> None:
    face = np.full((112, 112, 3), 100, np.uint8)
    attention = np.full((1, HEADS, 4, 4), 0.91, np.float32)
    attention[0, 1, 0, 0] = 0.96
    page = cv2.imdecode(
        np.frombuffer(attention_sheet([face], attention, "Person 1"), np.uint8), cv2.IMREAD_COLOR
    )
    assert page is not None
    changed = np.abs(page[54:, 116:268].astype(int) - 100).max(axis=2) > 20
    rows = [changed[row * 164 : row * 164 + 152] for row in range(1 + HEADS)]
    assert [bool(row.any()) for row in rows] == [False, False, True, False, False]
    assert rows[2][:30, :30].all()
    assert not rows[2][90:, 90:].any()


def test_attention_that_hardly_varies_is_not_blown_up() -> None:
    assert stretched(np.array([[0.5, 0.5001]], np.float32)).max() == 0
    spread = stretched(np.array([[0.91, 0.935, 0.96]], np.float32))
    assert spread[0].tolist() == pytest.approx([0, 0.5, 1], abs=1e-5)


def test_a_description_with_a_transformer_in_heads_is_refused(tmp_path: Path) -> None:
    built = {"trunk": "multi_attention_b4", "width": 8, "transformer_after": 3}
    with pytest.raises(BadBundle, match="plain trunk"):
        write_bundle(tmp_path, architecture=built)
