"""The images' recipe, instruction by instruction."""

import re
from pathlib import Path

RECIPE = Path(__file__).resolve().parents[1] / "infra" / "docker" / "Dockerfile"


def steps() -> list[tuple[str, str]]:
    """Instruction and the rest, lines joined."""
    text = re.sub(r"\\\n(\s*#.*\n)*", " ", RECIPE.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def stages() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in steps():
        if word == "FROM":
            _, _, name = rest.partition(" AS ")
            found[name] = []
        if name:
            found[name].append((word, rest))
    return found
