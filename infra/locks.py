"""Make the lock files anew: `python -m infra.locks [newer python …]`.

    pyproject.toml [dependency-groups]  →  requirements.txt, requirements-cpu.txt,
                                           requirements-test.txt

The Python that runs this resolves every list at once in a fresh environment, so run it with the
oldest one that is supported. Each newer Python that is named must then be content with the very
same versions; what only one of them needs gets a marker. Packages named in `tool.unmask.locks.bare`
are taken without what they ask for. Only names and versions are written: no local suffix, no
address, and none of the packages that a torch wheel for a certain device brings along.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: What torch's wheel asks for differs between devices; these come with it, never from a lock.
DEVICE_PACKAGES = re.compile(r"(nvidia|cuda|triton|pytorch-triton|intel|rocm)(-|$)")

#: Versions by package name.
Pins = Mapping[str, str]

HEADLESS = """\
# opencv-python-headless is the same `cv2` as opencv-python, without the windows that a desktop
# wants and the X11 libraries that a server lacks. Never install both: they share one folder.
"""

HEADERS = {
    "requirements.txt": f"""\
# One machine that does everything. `make setup` installs it like this: everything but torch and
# torchvision with --no-deps, then these two with whatever their wheel asks for on this machine.
#
{HEADLESS}""",
    "requirements-cpu.txt": f"""\
# CPU workers, the sweep, Flower and the exporter: no torch. Install it with --no-deps.
#
{HEADLESS}""",
    "requirements-test.txt": """\
# What the tests add to requirements.txt. Install it with --no-deps.
#
""",
}
MADE_BY = "# Made by `python -m infra.locks` from the lists in pyproject.toml; don't edit it.\n"


def main(newer: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    bare = frozenset(map(canonical, project["tool"]["unmask"]["locks"]["bare"]))
    groups = project["dependency-groups"]
    first = resolve_groups(sys.executable, groups, bare, pins={})
    known = {name: pin for pins in first.values() for name, pin in pins.items()}
    others = [resolve_groups(python, groups, bare, pins=known) for python in newer]
    always = project["tool"]["unmask"]["locks"]["always"]
    marks = markers(members(groups, "test"))
    for file, lines in locks(first, others, always, marks).items():
        (ROOT / file).write_text(MADE_BY + HEADERS[file] + "".join(f"{line}\n" for line in lines))
        print(f"{file}: {len(lines)} packages")


def resolve_groups(
    python: str, groups: dict[str, Any], bare: frozenset[str], *, pins: Pins
) -> dict[str, Pins]:
    """The versions of each list. The longest list decides, so that the lists agree."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"resolving with {python}", flush=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        inside = Path(folder) / "bin" / "python"
        everything = resolve(inside, list(members(groups, "test")), bare, pins)
        known = {**pins, **everything}
        return {
            name: resolve(inside, list(members(groups, name)), bare, known)
            for name in ("cpu", "machine")
        } | {"test": everything}


def members(groups: dict[str, Any], name: str) -> Iterator[str]:
    for member in groups[name]:
        if isinstance(member, str):
            yield member
        else:
            yield from members(groups, member["include-group"])


def resolve(python: Path, asked: list[str], bare: frozenset[str], pins: Pins) -> Pins:
    whole = [line for line in asked if package(line) not in bare]
    alone = [line for line in asked if package(line) in bare]
    found = report(python, whole, pins) | report(python, alone, pins, "--no-deps")
    return {name: pin for name, pin in found.items() if not DEVICE_PACKAGES.match(name)}


def report(python: Path, asked: list[str], pins: Pins, *options: str) -> dict[str, str]:
    """What pip would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        plan, constraints = Path(folder) / "plan.json", Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={pin}\n" for name, pin in pins.items()))
        command = [str(python), "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed"]
        command += ["--report", str(plan), "--constraint", str(constraints), *options, *asked]
        subprocess.run(command, check=True)
        items = json.loads(plan.read_text())["install"]
    return {
        canonical(item["metadata"]["name"]): item["metadata"]["version"].partition("+")[0]
        for item in items
    }


def markers(asked: Iterable[str]) -> dict[str, str]:
    """What the lists say of the machines that a package is for."""
    return {package(line): line.partition(";")[2].strip() for line in asked if ";" in line}


def locks(
    first: dict[str, Pins],
    others: list[dict[str, Pins]],
    always: list[str],
    marks: Mapping[str, str],
) -> dict[str, list[str]]:
    cpu, machine, test = (
        [marked(line, marks) for line in merged(first[group], [one[group] for one in others])]
        for group in ("cpu", "machine", "test")
    )
    return {
        "requirements.txt": sorted({*machine, *always}),
        "requirements-cpu.txt": sorted({*cpu, *always}),
        "requirements-test.txt": [line for line in test if line not in machine],
    }


def merged(oldest: Pins, others: Iterable[Pins]) -> list[str]:
    """One line a package; a marker where the oldest Python and the newer ones differ in need."""
    newer = {name: pin for pins in others for name, pin in pins.items()}
    lines = []
    for name in sorted({*oldest, *newer}):
        pin = f"{name}=={oldest.get(name) or newer[name]}"
        if newer and name not in newer:
            pin += ' ; python_version < "3.12"'
        elif name not in oldest:
            pin += ' ; python_version >= "3.12"'
        lines.append(pin)
    return lines


def marked(line: str, marks: Mapping[str, str]) -> str:
    mark = marks.get(package(line))
    if mark is None or mark in line:
        return line
    return f"{line} and {mark}" if ";" in line else f"{line} ; {mark}"


def package(line: str) -> str:
    return canonical(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0])


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1:])
