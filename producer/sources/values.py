"""What a source yields, and what it says about itself afterwards."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.redact import redact
from producer.plain import shorten
from unmask.errors import Unusable
from unmask.wording import printable

#: A bad line is shown with at most this much of its text…
SHOWN = 80
#: … and kept, for whoever repairs the list, with this much.
TEXT_KEPT = 2_000
#: Words of ours, around a little of its text.
WHY_SHOWN = 400


class SourceError(Unusable):
    """The source as a whole can't be read; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """One line that names nothing to scan; the lines around it go through."""

    #: Where it stood: `list.csv:17`.
    source: str
    line: int
    #: Control characters shown as escapes; long enough for any address to be repaired from.
    text: str
    why: str

    def __str__(self) -> str:
        text = shorten(redact(self.text), SHOWN)
        return f"{self.source}: {self.why}: {text}" if text else f"{self.source}: {self.why}"


class DuplicateLine(BadLine):
    """A line that names what an earlier one named; that one is scanned."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line as a reader understood it, before anybody looked at the address."""

    line: int
    address: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One line that a reader could not understand."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A file that is plainly no media (`README.md`); counted under its ending."""

    ending: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """A file or object that was found rather than listed: its address needs no further look."""

    uri: str
    stamp: str
    source: str


#: Keys of the objects of a bucket under a prefix: `lister("bucket", "prefix")`.
Lister = Callable[[str, str], Iterable[str]]


@dataclass
class Tally:
    """What went by so far."""

    items: int = 0
    bad: int = 0
    duplicates: int = 0
    #: By file ending, so that a person sees what was not scanned.
    left_out: Counter[str] = field(default_factory=Counter)

    def sentences(self) -> list[str]:
        """What a person should know besides the items; empty when all lines were good."""
        bad, again, left = self.bad, self.duplicates, self.left_out.total()
        told = {
            f"{counted(bad, 'line')} could not be used": bad,
            f"{counted(again, 'line')} repeated an earlier one": again,
            f"{counted(left, 'file')} left out as no media ({self._endings()})": left,
        }
        return [sentence for sentence, count in told.items() if count]

    def _endings(self) -> str:
        common = self.left_out.most_common(MAX_ENDINGS)
        rest = [] if len(common) == len(self.left_out) else ["…"]
        return ", ".join([f"{count} {printable(ending)}" for ending, count in common] + rest)


MAX_ENDINGS = 5


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shown(text: str, cells: int = SHOWN) -> str:
    """A line as it may be shown to a person: short and harmless."""
    return shorten(printable(text[: 4 * cells]), cells)
