"""Findings for a terminal, and for a program."""

import dataclasses
import io
import json
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from producer.doctor.finding import Finding

#: Names of checks are set as wide as this.
NAME_CELLS = 20

MARKS: Mapping[bool | None, tuple[str, str]] = {
    True: ("✓", "green"),
    None: ("·", "yellow"),
    False: ("✗", "bold red"),
}


def render(findings: Iterable[Finding]) -> str:
    """One line each; colours are for terminals, and whoever prints elsewhere strips them."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    for finding in findings:
        console.print(_line(finding), soft_wrap=True)
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue().rstrip("\n")


def _line(finding: Finding) -> Text:
    mark, style = MARKS[finding.ok]
    name = f"{finding.what:{NAME_CELLS}}"
    line = Text.assemble((mark, style), " ", (name, "bold"), " ", finding.says)
    if finding.mend:
        line.append(f"  →  {finding.mend}", style="" if finding.ok is None else "bold")
    return line


def to_json(findings: Iterable[Finding]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(dataclasses.asdict(one)) for one in findings)
