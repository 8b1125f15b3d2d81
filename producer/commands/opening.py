"""From the options of `scan` and `submit` to what a campaign pins and the lines that go into it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from infra.ledger import Ledger
from producer.campaigns import Wanted, choose, without_own_terms
from producer.commands.context import Context
from producer.sources import STDIN, BadLine, Source, open_source
from producer.sources.values import counted
from producer.submit import begin
from schemas.pace import ended, total
from schemas.records import Campaign, CampaignOptions, CampaignStatus, NewItem


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be scanned, and how; nothing is written for it yet."""

    options: CampaignOptions
    source: Source
    items: Iterator[NewItem]
    #: Nobody asked for a priority: that of the campaign holds.
    any_priority: bool
    #: Its name was made from the first line alone.
    by_first_line: bool
    #: The campaign of the same media without --priority and --keep-…; empty where it was named.
    plain_name: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    campaign: Campaign
    #: How many of its items had ended before.
    ended: int
    #: What a person should know of it before anything is added.
    told: tuple[str, ...]


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

    def chosen(asked: Wanted) -> CampaignOptions:
        return choose(
            asked,
            name=campaign,
            media=media,
            first=begun.first.uri,
            shelf=tools.settings.models_dir,
            device=tools.settings.device,
        )

    return Order(
        options=chosen(wanted),
        source=source,
        items=begun.items,
        any_priority=wanted.priority is None,
        by_first_line=media == STDIN and campaign is None,
        plain_name="" if campaign else chosen(without_own_terms(wanted)).name,
    )


def open_campaign(ledger: Ledger, wish: Order) -> Opened:
    """The campaign of an order, new or there already: then it goes on."""
    known = {one.options.name: one.options for one in ledger.campaigns()}
    options = wish.options
    if options.name in known and wish.any_priority:
        options = replace(options, priority=known[options.name].priority)
    campaign = ledger.open_campaign(options)
    status = ledger.status(options.name)
    told = (*_goes_on(wish, status), *_has_a_twin(wish, known))
    return Opened(campaign=campaign, ended=ended(status), told=told)


def _goes_on(wish: Order, status: CampaignStatus) -> Iterator[str]:
    if not total(status):
        return
    yield (
        f"campaign {wish.options.name} goes on: it holds {counted(total(status), 'item')}, "
        f"of which {ended(status):,} ended before"
    )
    if wish.by_first_line:
        yield (
            "a list on stdin is told from others by its first line; if this is another list, "
            "give it a --campaign of its own"
        )


def _has_a_twin(wish: Order, known: dict[str, CampaignOptions]) -> Iterator[str]:
    name = wish.options.name
    if name not in known and wish.plain_name in known:
        yield (
            f"campaign {wish.plain_name} holds the same media with another priority or another "
            f"term, and stays as it is; {name} is new"
        )
