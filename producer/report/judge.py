"""What a page says of the model that judged: where its lines lie, and how far to trust them."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.records import CampaignOptions
from unmask.judgement import Thresholds
from unmask.model.alarms import ITEMS, expected_alarms
from unmask.model.bundle import Bundle
from unmask.wording import percent

#: In most archives fakes are rare: what is expected is said for so many.
BASE_RATE = 0.01
CARD = "CARD.md"


@dataclass(frozen=True, kw_only=True)
class Judge:
    digest: str
    #: Where its card lies; empty where the bundle is not at hand.
    card: str
    sentences: tuple[str, ...]


def judge(
    options: CampaignOptions, bundle: Bundle | None, lines: tuple[float, float] | None
) -> Judge:
    """`lines` are the thresholds that the rows name; a bundle that is at hand says more."""
    same = bundle if bundle and bundle.digest == options.model_digest else None
    card = same.folder / CARD if same else None
    return Judge(
        digest=options.model_digest,
        card=f"models/{same.folder.name}/{CARD}" if same and card and card.is_file() else "",
        sentences=tuple(_sentences(same, lines)),
    )


def _sentences(bundle: Bundle | None, lines: tuple[float, float] | None) -> Iterator[str]:
    if lines:
        low, high = map(percent, lines)
        yield (
            f"Below {low} likely fake it says real, from {high} on fake; what lies between is "
            "unsure, and a person should look."
        )
    if bundle and bundle.thresholds:
        yield from _expected(bundle.thresholds)


def _expected(thresholds: Thresholds) -> Iterator[str]:
    """A rare thing is found rarely, however good the finder: the words for a base rate."""
    expected = expected_alarms(thresholds, base_rate=BASE_RATE)
    fakes = ITEMS * BASE_RATE
    found = fakes * (1 - thresholds.fake_called_real - thresholds.fake_unsure)
    called = found + expected.false_alarms
    yield (
        f"It does not know how rare fakes are where your media come from. As measured on "
        f"held-out faces: of {ITEMS:,} items, {fakes:,.0f} of them fake ({percent(BASE_RATE)}), "
        f"it would call {called:,.0f} fake, {expected.false_alarms:,.0f} of them wrongly; "
        f"{expected.misses:,.0f} fakes would be called real, and {expected.unsure:,.0f} items "
        "would be unsure."
    )
