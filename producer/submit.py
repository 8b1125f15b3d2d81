"""Items → ledger rows, in bulk, each once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from infra.ledger import Ledger
from producer.sources import BadLine
from schemas.records import Campaign, NewItem

#: Bad lines that are kept to be shown; all of them are counted.
SHOWN = 20


@dataclass(kw_only=True)
class Report:
    """What became of the lines of a source."""

    new: int = 0
    known: int = 0
    bad: int = 0
    first_bad: list[BadLine] = field(default_factory=list)
    done: bool = False


def submit(
    ledger: Ledger,
    campaign: Campaign,
    source: Iterable[NewItem | BadLine],
    *,
    report: Report,
    on_bad: Callable[[BadLine], None] = lambda _: None,
) -> Report:
    """Good lines go through, bad ones are told; `report` may be watched meanwhile."""
    counts = ledger.submit(campaign, _good(source, report, on_bad))
    report.new, report.known, report.done = counts.new, counts.known, True
    return report


def _good(
    source: Iterable[NewItem | BadLine], report: Report, on_bad: Callable[[BadLine], None]
) -> Iterator[NewItem]:
    for one in source:
        if isinstance(one, BadLine):
            report.bad += 1
            if len(report.first_bad) < SHOWN:
                report.first_bad.append(one)
            on_bad(one)
        else:
            yield one
