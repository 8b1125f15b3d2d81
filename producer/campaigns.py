"""What a campaign pins, from what a person asked for."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from producer.card import AUTO, has_gpu
from producer.sources import STDIN
from schemas.records import CampaignOptions, Priority
from unmask.errors import Unusable
from unmask.model.bundle import Bundle
from unmask.model.shelf import default_name, find_bundle
from unmask.spec import PAPERS, Coding, ScanSpec

DAY_S = 86_400.0
SLUG_CHARACTERS = 40
#: It names a folder of results too.
NAME = re.compile(r"(?!\.)[\w .:+@-]{1,100}")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The options of `scan` and `submit`."""

    model: str = AUTO
    frames: int | None = None
    first: bool = False
    stride: int | None = None
    #: Of the stored clips; None: as the model's scan spec says.
    coding: Coding | None = None
    #: None: as the campaign has it, else normal.
    priority: Priority | None = None
    extract_only: bool = False
    #: The papers' scan spec instead of the model's own.
    papers: bool = False
    #: Days for which clips and evidence are kept after an item has ended; None: for ever.
    keep_clips_days: float | None = None
    keep_evidence_days: float | None = None


def choose(
    wanted: Wanted, *, name: str | None, media: str, shelf: Path, device: str, first: str = ""
) -> CampaignOptions:
    """Everything a verdict depends on, frozen under a name; `first` is the first address."""
    if name is not None and not NAME.fullmatch(name):
        raise Unusable(f"{name!r} is no name for a campaign: letters, digits and ._- up to 100")
    model = default_name(gpu=has_gpu(device), shelf=shelf) if wanted.model == AUTO else wanted.model
    bundle = find_bundle(model, shelf)
    spec = _spec(wanted, bundle)
    pinned = (bundle.digest, spec.digest, wanted.extract_only, *_own_terms(wanted))
    return CampaignOptions(
        name=name or derived_name(media, first, *pinned),
        model=bundle.name,
        model_digest=bundle.digest,
        spec=spec,
        priority=Priority.NORMAL if wanted.priority is None else wanted.priority,
        extract_only=wanted.extract_only,
        keep_clips_s=_seconds(wanted.keep_clips_days),
        keep_evidence_s=_seconds(wanted.keep_evidence_days),
    )


def bundle_of(options: CampaignOptions, shelf: Path) -> Bundle | None:
    """The very bundle that a campaign pins, where it is still on the shelf."""
    try:
        bundle = find_bundle(options.model, shelf)
    except Unusable:
        return None
    return bundle if bundle.digest == options.model_digest else None


def _own_terms(wanted: Wanted) -> tuple[str, ...]:
    """What makes another campaign of the same question: another turn, or another term."""
    terms = {
        "priority": None if wanted.priority is Priority.NORMAL else wanted.priority,
        "clips": wanted.keep_clips_days,
        "evidence": wanted.keep_evidence_days,
    }
    return tuple(f"{name} {value}" for name, value in terms.items() if value is not None)


def without_own_terms(wanted: Wanted) -> Wanted:
    return replace(wanted, priority=None, keep_clips_days=None, keep_evidence_days=None)


def _seconds(days: float | None) -> float | None:
    return None if days is None else days * DAY_S


def _spec(wanted: Wanted, bundle: Bundle) -> ScanSpec:
    base = PAPERS if wanted.papers else bundle.spec
    return base.with_options(
        frames=wanted.frames, first=wanted.first, stride=wanted.stride, coding=wanted.coding
    )


def derived_name(media: str, first: str, *pinned: object) -> str:
    """The same for the same command, so that a scan goes on where it stopped.

    A list on stdin has no name; the line it begins with tells it from others.
    """
    if media == STDIN:
        place, shown = first, "stdin"
    else:
        place = media if "://" in media else str(Path(media).expanduser().absolute())
        shown = Path(place).name or "root"
    slug = re.sub(r"[^a-z0-9]+", "-", shown.lower()).strip("-")[:SLUG_CHARACTERS] or "media"
    digest = hashlib.sha256("\0".join(map(str, (place, *pinned))).encode()).hexdigest()
    return f"{slug}-{digest[:6]}"
