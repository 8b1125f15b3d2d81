"""A trunk takes the weights of a file in torchvision's layout, and refuses those of another."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.making.bundles import write_bundle
from unmask.errors import Unusable
from unmask.model import vision
from unmask.model.predict import build
from unmask.model.pretrained import load_trunk
from unmask.model.trunks import TRUNKS


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_torchvisions_is_taken(tmp_path: Path, suffix: str) -> None:
    whole = vision.mobilenet_v2(weights=None).eval()
    path = tmp_path / f"mobilenet{suffix}"
    if suffix == ".pth":
        torch.save(whole.state_dict(), path)
    else:
        safetensors.torch.save_file(whole.state_dict(), path)
    trunk = TRUNKS["mobilenet_v2"].make().eval()
    load_trunk(trunk, "mobilenet_v2", str(path))
    pictures = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(trunk(pictures), whole.features(pictures))


def test_another_networks_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "mobilenet.pth"
    torch.save(vision.mobilenet_v2(weights=None).state_dict(), path)
    with pytest.raises(Unusable, match=r"missing: bn1\.bias"):
        load_trunk(TRUNKS["resnext50_32x4d"].make(), "resnext50_32x4d", str(path))


def test_a_bundles_trunk_is_taken_and_that_of_another_kind_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, architecture={"trunk": "mobilenet_v2", "width": 8})
    trunk = TRUNKS["mobilenet_v2"].make()
    load_trunk(trunk, "mobilenet_v2", str(tmp_path))
    wanted, found = build(bundle).trunk.state_dict(), trunk.state_dict()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    with pytest.raises(Unusable, match="trunk of tiny is another one than compact"):
        load_trunk(TRUNKS["compact"].make(), "compact", str(tmp_path))


def test_what_is_no_weights_file_is_refused(tmp_path: Path) -> None:
    for name in ("a.pth", "a.safetensors"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(Unusable):
            load_trunk(TRUNKS["mobilenet_v2"].make(), "mobilenet_v2", str(tmp_path / name))
    with pytest.raises(Unusable):
        load_trunk(TRUNKS["mobilenet_v2"].make(), "mobilenet_v2", str(tmp_path / "nosuch.pth"))


def test_the_light_trunk_has_only_quick_layers_and_no_published_weights() -> None:
    trunk = TRUNKS["efficientnet_lite0"].make().eval()
    kinds = {type(module).__name__ for module in trunk.modules()}
    assert not kinds & {"SiLU", "SqueezeExcitation", "Sigmoid"}
    with torch.inference_mode():
        assert trunk(torch.rand(2, 3, 112, 112)).shape == (2, 1280, 4, 4)
    with pytest.raises(Unusable, match="publishes no weights"):
        load_trunk(trunk, "efficientnet_lite0", "imagenet")
