"""From the options of `scan` and `submit` to what a campaign pins and the lines that go into it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from producer.campaigns import Wanted, choose
from producer.commands.context import Context
from producer.sources import BadLine, Source, open_source
from producer.submit import begin
from schemas.records import CampaignOptions, NewItem


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be scanned, and how; nothing is written for it yet."""

    options: CampaignOptions
    source: Source
    items: Iterator[NewItem]


def order(
    tools: Context,
    wanted: Wanted,
    *,
    media: str,
    campaign: str | None,
    column: str | None,
    root: Path | None,
    on_bad: Callable[[BadLine], None],
) -> Order:
    """Media that name nothing to scan are refused here, before a campaign is opened for them."""
    source = open_source(media, column=column, root=root, lister=tools.lister)
    begun = begin(source, on_bad)
    options = choose(
        wanted,
        name=campaign,
        media=media,
        first=begun.first.uri,
        shelf=tools.settings.models_dir,
        device=tools.settings.device,
    )
    return Order(options=options, source=source, items=begun.items)
