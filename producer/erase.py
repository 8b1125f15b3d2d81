"""Every trace of an item, or of one person of it: out of the ledger and out of the store."""

from collections.abc import Iterator
from dataclasses import replace

from infra.ledger import Ledger
from infra.objects import Store
from producer.sources.values import counted
from schemas.records import Erased


def erase(ledger: Ledger, store: Store, item: int, person: int | None) -> Erased:
    """The ledger forgets first; should the store be away, the sweep deletes the objects later."""
    erased = ledger.erase(item, person)
    if erased.sha256 is not None and person is None:
        # What a worker stored and never told of is a trace too.
        folders = (f"clips/{erased.sha256}/", f"evidence/{erased.sha256}/")
        stored = [one.key for folder in folders for one in store.list(folder)]
        lost = ledger.doom_unknown(stored, "erased on request") if stored else []
        erased = replace(erased, objects=tuple(sorted({*erased.objects, *lost})))
    store.delete(erased.objects)
    ledger.gone(erased.objects)
    return erased


def sentences(erased: Erased) -> Iterator[str]:
    """What was removed, for the person who asked for it."""
    whose = f"item {erased.item}"
    if erased.person is not None:
        whose = f"person {erased.person} of {whose}"
    pictures = sum(key.startswith("evidence/") for key in erased.objects)
    clips = len(erased.objects) - pictures
    yield f"{whose} is erased:"
    yield f"  {counted(clips, 'clip file')} and {counted(pictures, 'evidence picture')} deleted"
    yield f"  {counted(erased.scores, 'score')} of its clips deleted"
    if erased.person is None:
        yield "  its address, source, columns, result and log deleted"
    yield f"  {counted(erased.notes, 'note')} of the history blanked"
    if erased.heirs:
        same = ", ".join(map(str, erased.heirs[:10])) + (" …" if len(erased.heirs) > 10 else "")
        count = len(erased.heirs)
        marked = "results of the same content marked" if count > 1 else "result marked"
        yield f"  {count} other {marked}: item {same}"
    yield "reports that were written before still hold what they held: write them again"
