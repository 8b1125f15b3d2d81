"""Items → ledger rows, in bulk, each once."""

from collections.abc import Callable, Iterator

from infra.ledger import Ledger
from producer.sources import BadLine, Source
from schemas.records import Campaign, NewItem, Submitted


def submit(
    ledger: Ledger, campaign: Campaign, source: Source, on_bad: Callable[[BadLine], None]
) -> Submitted:
    """Good lines go through, bad ones are told; `source.tally` may be watched meanwhile."""
    return ledger.submit(campaign, _good(source, on_bad))


def _good(source: Source, on_bad: Callable[[BadLine], None]) -> Iterator[NewItem]:
    for one in source:
        if isinstance(one, BadLine):
            on_bad(one)
        else:
            yield one
