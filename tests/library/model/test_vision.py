"""torchvision is loaded without torch's compiler, and leaves it as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import sys
from unmask.model import vision
assert "torch._dynamo" not in sys.modules, "the compiler was loaded"
import torch
twice = torch.compile(lambda number: number * 2, backend="eager")
assert twice(torch.ones(1)).item() == 2
assert sys.modules["torch._dynamo"].__file__.endswith("__init__.py")
"""
#: Argument: a shipped bundle. Its scores and its heat are what a GPU worker gives.
JUDGED = """
import sys
from pathlib import Path
import numpy as np
from unmask.model.clips import PersonFrames, Window
from unmask.model.heat import Warmed
from unmask.model.predict import load
from unmask.model.shelf import find_bundle
predictor = load(find_bundle(sys.argv[1], Path("models")), "cpu")
predictor.self_test()
window = Window(number=0, times=(0.0, 0.04), frames=np.zeros((2, 112, 112, 3), np.uint8))
predictor.score([PersonFrames(person=0, windows=(window,))], lambda: None)
predictor.heat([Warmed("films", window, [0])], lambda: None)
assert "torch._dynamo" not in sys.modules, "the compiler was loaded"
"""
LOADED_BEFORE = """
import sys
import torch._dynamo
real = torch._dynamo
from unmask.model import vision
assert sys.modules["torch._dynamo"] is real
"""


def test_a_start_does_not_wait_for_the_compiler_which_works_all_the_same() -> None:
    subprocess.run([sys.executable, "-c", LOADED], check=True, timeout=120)


@pytest.mark.parametrize("name", ["lite", "resnext50-lstm"])
def test_nor_does_a_bundle_that_is_opened_and_judges(name: str) -> None:
    """First weights, drawn for a network that gets others, would load it."""
    subprocess.run([sys.executable, "-c", JUDGED, name], check=True, timeout=120)


def test_a_compiler_that_is_there_stays() -> None:
    subprocess.run([sys.executable, "-c", LOADED_BEFORE], check=True, timeout=120)


def test_a_torchvision_that_asks_more_of_the_compiler_gets_it(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("from torch._dynamo.utils import counters\n")
    (package / "ops.py").write_text("SqueezeExcitation = None\n")
    names = (
        "efficientnet_b0",
        "efficientnet_b4",
        "get_model_weights",
        "mobilenet_v2",
        "resnext50_32x4d",
    )
    (package / "models.py").write_text("".join(f"{name} = None\n" for name in names))
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    loaded = "from unmask.model import vision; import torchvision; torchvision.counters.clear()"
    done = [sys.executable, "-c", loaded]
    subprocess.run(done, check=True, timeout=120, env=os.environ | {"PYTHONPATH": path})
