"""A bundle is opened whole or refused by name."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.making.bundles import CALIBRATION, THRESHOLDS, description, write_bundle
from unmask.model.bundle import BadBundle, open_bundle
from unmask.model.description import MEASURED
from unmask.model.shelf import default_name, find_bundle, names
from unmask.spec import ScanSpec


def test_says_what_it_is(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, untrained=False, calibration=CALIBRATION, thresholds=THRESHOLDS)
    assert (bundle.name, bundle.untrained, bundle.architecture.width) == ("tiny", False, 32)
    assert bundle.spec == ScanSpec()
    assert bundle.thresholds is not None
    assert bundle.thresholds.fake == 0.9
    assert bundle.calibration is not None
    assert bundle.calibration.item(0.75) == pytest.approx(0.695)


def test_digest_covers_every_byte_of_the_description(tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "a")
    second = write_bundle(tmp_path / "b", about="made by another test")
    assert first.digest != second.digest
    assert first.digest == open_bundle(tmp_path / "a").digest
    assert len(first.digest) == 64


def test_options_change_the_spec(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path)
    assert bundle.spec_for() == bundle.spec
    assert bundle.spec_for(frames=60).frames == 60
    assert bundle.spec_for(frames=100, first=True).moments == "first"
    assert bundle.spec_for(stride=5).stride == 5


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"colour": "blue"}, "colour: Unexpected"),
    ({"format": 2}, "format"),
    ({"architecture": {"trunk": "vgg19", "width": 32}}, "architecture.trunk"),
    ({"architecture": {"trunk": "mobilenet_v2", "width": 32, "depth": 3}}, "architecture.depth"),
    ({"weights": {"encoding": "fp32", "file": "../../etc/passwd", "sha256": "0" * 64}}, "file"),
    ({"weights": {"encoding": "fp32"}}, "seeded"),
    ({"spec": ScanSpec().to_json() | {"colour": 1}}, "spec.colour: Unexpected"),
    ({"spec": ScanSpec().to_json() | {"frames": "20"}}, "spec.frames"),
    ({"spec": ScanSpec().to_json() | {"frames": 0}}, "out of range"),
    ({"calibration": CALIBRATION}, "untrained"),
    ({"untrained": False, "thresholds": THRESHOLDS}, "calibration"),
    (
        {
            "untrained": False,
            "calibration": CALIBRATION,
            "thresholds": THRESHOLDS | {"real": 0.95},
        },
        "lies above",
    ),
    ({"deviation": [0.2, 0.2, 0.0]}, "positive"),
    ({"name": "a/b"}, "name"),
]


@pytest.mark.parametrize(("changes", "word"), REFUSALS, ids=[word for _, word in REFUSALS])
def test_refuses_by_name(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(BadBundle, match=word) as refusal:
        write_bundle(tmp_path, **changes)
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("missing", ["format", "name", "untrained", "architecture", "spec"])
def test_refuses_what_lacks_a_field(tmp_path: Path, missing: str) -> None:
    whole = description()
    del whole[missing]
    (tmp_path / "model.json").write_text(json.dumps(whole))
    with pytest.raises(BadBundle, match=missing):
        open_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": NaN}', "\x00" * 9])
def test_refuses_what_is_no_description(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(BadBundle):
        open_bundle(tmp_path)


def test_refuses_an_empty_folder_and_a_huge_file(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="no model in"):
        open_bundle(tmp_path)
    (tmp_path / "model.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(BadBundle, match="larger than"):
        open_bundle(tmp_path)


def test_shipped_bundles_open_and_are_found_by_name() -> None:
    assert {"lite", "resnext50-lstm"} <= set(names())
    for name in names():
        assert find_bundle(name).name == name


def test_the_large_model_is_a_gpus_default_once_it_is_trained(tmp_path: Path) -> None:
    write_bundle(tmp_path / "lite", name="lite")
    assert default_name(gpu=True, shelf=tmp_path) == "lite"
    for untrained, wanted in ((True, "lite"), (False, "resnext50-lstm")):
        write_bundle(tmp_path / "resnext50-lstm", name="resnext50-lstm", untrained=untrained)
        assert default_name(gpu=True, shelf=tmp_path) == wanted
        assert default_name(gpu=False, shelf=tmp_path) == "lite"


@pytest.mark.parametrize(
    ("large", "wanted"),
    [({}, "resnext50-lstm"), ({MEASURED: 0.92}, "resnext50-lstm"), ({MEASURED: 0.87}, "lite")],
)
def test_a_model_known_to_judge_worse_is_no_default(
    tmp_path: Path, large: dict[str, float], wanted: str
) -> None:
    write_bundle(tmp_path / "lite", name="lite", untrained=False, quality={MEASURED: 0.9})
    write_bundle(tmp_path / "resnext50-lstm", name="resnext50-lstm", untrained=False, quality=large)
    assert default_name(gpu=True, shelf=tmp_path) == wanted


def test_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"no model `nosuch`.*lite"):
        find_bundle("nosuch")
    assert find_bundle(str(write_bundle(tmp_path).folder)).name == "tiny"


def test_reading_a_description_needs_no_torch() -> None:
    code = (
        "import sys, unmask.model.shelf, unmask.verdict; unmask.model.shelf.find_bundle('lite');"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
