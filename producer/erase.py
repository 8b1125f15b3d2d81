"""Every trace of an item, or of one person of it: out of the ledger and out of the store."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from infra.ledger import Ledger
from infra.objects import Store
from producer.sources.values import counted
from schemas.records import Erased
from tasks.deletion import delete_these


def erase(ledger: Ledger, store: Store, item: int, person: int | None) -> Erased:
    """The ledger forgets first; should the store be away, the sweep deletes the objects later."""
    erased = ledger.erase(item, person)
    if erased.sha256 is not None:
        # What a worker stored and never told of is a trace too, and may be of anybody.
        folders = (f"clips/{erased.sha256}/", f"evidence/{erased.sha256}/")
        stored = [one.key for folder in folders for one in store.list(folder)]
        lost = ledger.doom_unknown(stored, "erased on request") if stored else []
        erased = replace(erased, objects=tuple(sorted({*erased.objects, *lost})))
    deleted = delete_these(ledger, store, erased.objects)
    if deleted.trouble is not None:
        raise deleted.trouble
    return erased


def sentences(erased: Erased) -> Iterator[str]:
    """What was removed, for the person who asked for it."""
    whose = f"item {erased.item}"
    if erased.person is not None:
        whose = f"person {erased.person} of {whose}"
    removed = list(_removed(erased))
    if erased.again:
        yield f"{whose} was erased before{':' if removed else '; nothing more of it was found'}"
    else:
        yield f"{whose} is erased:"
    yield from (f"  {line}" for line in removed)
    if erased.heirs:
        same = ", ".join(map(str, erased.heirs[:10])) + (" …" if len(erased.heirs) > 10 else "")
        count = len(erased.heirs)
        marked = "results of the same content marked" if count > 1 else "result marked"
        yield f"  {count} other {marked}: item {same}"
    yield "reports that were written before still hold what they held: write them again"


def _removed(erased: Erased) -> Iterator[str]:
    pictures = sum(key.startswith("evidence/") for key in erased.objects)
    clips = len(erased.objects) - pictures
    objects = {"clip file": clips, "evidence picture": pictures}
    if erased.objects:
        yield f"{_listed([counted(n, what) for what, n in objects.items() if n])} deleted"
    if erased.scores:
        yield f"{counted(erased.scores, 'score')} of its clips deleted"
    if erased.words:
        yield f"its {_listed(erased.words)} deleted"
    if erased.notes:
        yield f"{counted(erased.notes, 'note')} of the history blanked"


def _listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
