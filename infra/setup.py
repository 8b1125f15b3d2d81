"""Install the locks into `.venv`: `python -m infra.setup requirements.txt [more locks …]`.

Run by the Makefile with the system's own Python, so nothing but the standard library is used here.

    1. everything but torch and torchvision, exactly as the lock says, without dependencies:
       face_recognition's own pins would compile dlib for many minutes
    2. torch and torchvision with whatever their wheel asks for on this machine, every other pin
       of the locks held as a constraint
    3. the command `unmask`, which runs the checkout's own code

With `--packages-only` the third is left out: an image gets its packages before the code. And all
is compiled, as nobody may write into an image later; else Python compiles what is first loaded,
which is a small part of it.

A copy of each lock inside `.venv` says that it is in place; the Makefile compares. An environment
whose set-up was cut short is thrown away and made anew.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
#: Packages that change seldom go into an image before the code, which changes often.
PACKAGES_ONLY = "--packages-only"
UNDER_WAY = VENV / "under-way"
SUPPORTED = ((3, 11), (3, 12))

#: What must load once a lock is installed.
CHECKS = {
    "requirements.txt": "producer.commands, workers.cpu, workers.gpu",
    "requirements-cpu.txt": "workers.cpu, workers.sweep",
}
#: Which wheel fits, and what it needs, differs between machines.
TORCH = re.compile(r"(torch|torchvision)==")


def main(locks: list[str]) -> None:
    if sys.version_info[:2] not in SUPPORTED:
        sys.exit(f"Unmask needs Python 3.11 or 3.12, this is {sys.version.split()[0]}")
    packages_only = PACKAGES_ONLY in locks
    locks = [lock for lock in locks if lock != PACKAGES_ONLY]
    with alone():
        if UNDER_WAY.exists() or not works():
            make_environment()
        wanted = [ROOT / lock for lock in locks if not in_place(ROOT / lock)]
        if wanted:
            set_up(wanted, packages_only=packages_only)


@contextmanager
def alone() -> Iterator[None]:
    """Two commands started at once set up one after the other."""
    path = ROOT / ".make" / "setup.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(wanted: list[Path], *, packages_only: bool) -> None:
    UNDER_WAY.touch()
    for lock in wanted:
        marker(lock).unlink(missing_ok=True)
    install(wanted, "--compile" if packages_only else "--no-compile")
    if not packages_only:
        command = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        step("adding the command unmask", *command)
        check(wanted)
    for lock in wanted:
        shutil.copyfile(lock, marker(lock))
    UNDER_WAY.unlink()


def install(wanted: list[Path], compiling: str) -> None:
    lines = [line for lock in wanted for line in pins(lock)]
    plain = [line for line in lines if not TORCH.match(line)]
    torch = [line for line in lines if TORCH.match(line)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plain.txt"
        file.write_text("\n".join(plain))
        what = f"installing {len(plain)} packages"
        step(what, "--no-deps", compiling, "--requirement", str(file))
        if torch:
            what = f"installing {' and '.join(torch)} with what they need here (GBs, minutes)"
            step(what, "--constraint", str(file), compiling, *torch)


def check(wanted: list[Path]) -> None:
    """A package that this Python needs and the lock lacks is told now, not by the first scan."""
    for name in sorted({CHECKS[lock.name] for lock in wanted if lock.name in CHECKS}):
        done = subprocess.run([str(PYTHON), "-c", f"import {name}"], cwd=ROOT, check=False)
        if done.returncode:
            sys.exit(f"set-up: {name} can't be loaded; see the words above")


def step(what: str, *options: str) -> None:
    """One line for a person; pip speaks only when something is wrong."""
    say(f"{what} …")
    started = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *options]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"set-up: {what} failed; see pip's words above. The next try starts clean.")
    say(f"  done in {time.monotonic() - started:.0f} s")


def make_environment() -> None:
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir(exist_ok=True)
    UNDER_WAY.touch()
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False)
    if made.returncode:
        sys.exit(
            "set-up: no virtual environment could be made; on Debian: apt install python3-venv"
        )


def works() -> bool:
    fits = f"import pip, sys; sys.exit(sys.version_info[:2] not in {SUPPORTED})"
    command = [str(PYTHON), "-c", fits]
    return os.access(PYTHON, os.X_OK) and not subprocess.run(command, check=False).returncode


def in_place(lock: Path) -> bool:
    done = marker(lock)
    return done.is_file() and os.access(PYTHON, os.X_OK) and done.read_bytes() == lock.read_bytes()


def marker(lock: Path) -> Path:
    return VENV / f"installed-{lock.name}"


def pins(lock: Path) -> list[str]:
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


def say(line: str) -> None:
    print(f"set-up: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("set-up: stopped; the next try starts clean")
