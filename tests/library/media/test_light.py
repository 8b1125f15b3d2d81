"""Who needs only the values of the media core does not wait for decoders and detectors."""

import subprocess
import sys

import pytest

import unmask.media

HEAVY = {"av", "cv2", "dlib", "numpy", "onnxruntime", "pillow_heif"}
LOADED = "import sys, {module}; print(*sorted({heavy} & sys.modules.keys()))"


@pytest.mark.parametrize(
    "module", ["unmask.media", "unmask.media.values", "unmask.media.manifest", "infra.sandbox.room"]
)
def test_loads_no_decoder_and_no_detector(module: str) -> None:
    program = LOADED.format(module=module, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


def test_an_unknown_name_is_none_of_its_own() -> None:
    assert not hasattr(unmask.media, "nonsense")
