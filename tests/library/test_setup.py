"""The set-up: what goes in, in which order, and what happens when it is cut short."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import infra.setup

ROOT = Path(__file__).resolve().parents[2]
MACHINE, TEST = "requirements.txt", "requirements-test.txt"

#: Stands where Python would: says what it was called with, then what came in.
SPEAKING = """#!/bin/sh
for word in "$@"; do echo "<$word>"; done
cat
exit ${STATUS:-0}
"""


class Checkout:
    """A checkout with two small locks, and a pip that only writes down what it is asked."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.asked: list[str] = []
        self.compiling = set[str]()
        self.fails_at = ""
        self.made = 0
        (root / MACHINE).write_text("# why\nalpha==1\ntorch==2.13.0\n")
        (root / TEST).write_text("beta==2\n")
        venv = root / ".venv"
        patch.setattr(infra.setup, "ROOT", root)
        patch.setattr(infra.setup, "VENV", venv)
        patch.setattr(infra.setup, "PYTHON", venv / "bin" / "python")
        patch.setattr(infra.setup, "UNDER_WAY", venv / "under-way")
        patch.setattr(infra.setup, "make_environment", self.make)
        patch.setattr(infra.setup, "works", (venv / "bin" / "python").exists)
        patch.setattr(infra.setup, "step", self.step)

    def make(self) -> None:
        self.made += 1
        shutil.rmtree(self.root / ".venv", ignore_errors=True)
        python = self.root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(SPEAKING)
        python.chmod(0o755)

    def step(self, what: str, *options: str) -> None:
        files = [Path(one).read_text() for one in options if one.endswith("plain.txt")]
        named = [one for one in options if "==" in one]
        self.compiling |= {"--compile", "--no-compile"} & set(options)
        self.asked.append(" ".join([options[0], *"\n".join(files).split(), *named]))
        if self.fails_at and self.fails_at in self.asked[-1]:
            raise SystemExit(f"{what} failed")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


def test_torch_comes_after_all_else_and_with_what_it_needs(checkout: Checkout) -> None:
    infra.setup.main([MACHINE])
    assert checkout.asked == [
        "--no-deps alpha==1",
        "--constraint alpha==1 torch==2.13.0",
        "--no-deps",
    ]


def test_what_is_in_place_is_left_alone(checkout: Checkout) -> None:
    infra.setup.main([MACHINE])
    checkout.asked.clear()
    infra.setup.main([MACHINE])
    assert checkout.asked == []
    infra.setup.main([MACHINE, TEST])
    assert checkout.asked == ["--no-deps beta==2", "--no-deps"]
    assert checkout.made == 1


def test_only_an_image_is_compiled_as_a_whole(checkout: Checkout) -> None:
    infra.setup.main([MACHINE])
    assert checkout.compiling == {"--no-compile"}
    checkout.compiling.clear()
    infra.setup.main([infra.setup.PACKAGES_ONLY, TEST])
    assert checkout.compiling == {"--compile"}


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    infra.setup.main([MACHINE])
    (checkout.root / MACHINE).write_text("alpha==2\n")
    infra.setup.main([MACHINE])
    assert "--no-deps alpha==2" in checkout.asked


def test_what_was_cut_short_is_made_anew_as_a_whole(checkout: Checkout) -> None:
    infra.setup.main([MACHINE])
    checkout.fails_at = "beta"
    with pytest.raises(SystemExit):
        infra.setup.main([MACHINE, TEST])
    checkout.fails_at = ""
    checkout.asked.clear()
    infra.setup.main([MACHINE, TEST])
    assert checkout.made == 2
    assert checkout.asked[0] == "--no-deps alpha==1 beta==2"
    assert not (checkout.root / ".venv" / "under-way").exists()


@pytest.fixture
def made(checkout: Checkout) -> Path:
    """A checkout that is set up, with the project's Makefile."""
    infra.setup.main([MACHINE])
    shutil.copy(ROOT / "Makefile", checkout.root)
    return checkout.root


def make(folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    others = ("MAKE", "MFLAGS", "MEDIA", "ARGS", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    command = ["make", *words]
    return subprocess.run(
        command, cwd=folder, env=kept, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "media", ["samples", "a b/c", "it's", "$HOME", "s3://bucket/a,b", 'q"q', "*", "-"]
)
def test_make_scan_hands_the_name_on_as_typed(made: Path, media: str) -> None:
    done = make(
        made, "scan", f"MEDIA={media}", "ARGS=--frames 10 --campaign 'my own'", stdin="in\n"
    )
    said = done.stdout.splitlines()
    options = ["<--frames>", "<10>", "<--campaign>", "<my own>"]
    assert said == ["<-m>", "<producer>", "<scan>", f"<{media}>", *options, "in"]
    assert done.returncode == 0


def test_make_scan_scans_the_samples_by_default(made: Path) -> None:
    assert "<samples>" in make(made, "scan").stdout.splitlines()


@pytest.mark.parametrize("status", [2, 3, 4])
def test_make_says_the_status_of_the_scan(
    made: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS", str(status))
    done = make(made, "scan")
    assert done.returncode == 2
    assert f"Error {status}" in done.stderr


def test_make_says_when_no_python_fits(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (made / ".venv" / f"installed-{MACHINE}").unlink()
    tools = made / "tools"
    tools.mkdir()
    for tool in ("sh", "cmp", "make"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tools))
    done = make(made, "scan")
    assert "needs Python 3.11 or 3.12 with venv" in done.stderr
    assert done.stdout == ""


def test_make_alone_tells_what_there_is(made: Path) -> None:
    assert "make scan" in make(made).stdout
