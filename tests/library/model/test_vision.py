"""torchvision is loaded without torch's compiler, and leaves it as it was."""

import subprocess
import sys

LOADED = """
import sys
from unmask.model import vision
assert "torch._dynamo" not in sys.modules, "the compiler was loaded"
import torch
twice = torch.compile(lambda number: number * 2, backend="eager")
assert twice(torch.ones(1)).item() == 2
assert sys.modules["torch._dynamo"].__file__.endswith("__init__.py")
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


def test_a_compiler_that_is_there_stays() -> None:
    subprocess.run([sys.executable, "-c", LOADED_BEFORE], check=True, timeout=120)
