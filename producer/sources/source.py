"""The one pass over a source: records become items, bad lines are told, all are counted."""

from collections.abc import Iterator, Mapping
from typing import Any

from producer.plain import storable
from producer.sources.address import Address, NoAddress, Rules, read_address
from producer.sources.repeats import Repeats
from producer.sources.values import (
    TEXT_KEPT,
    WHY_SHOWN,
    BadLine,
    DuplicateLine,
    Fault,
    LeftOut,
    Named,
    Record,
    SourceError,
    Tally,
    shown,
)
from schemas.records import NewItem

Entry = Record | Fault | LeftOut | Named


class Source:
    """Iterate it once; `tally` counts along. It holds one item at a time, however long the list."""

    def __init__(self, *, name: str, entries: Iterator[Entry], rules: Rules) -> None:
        #: For people: `list.csv`, a folder's path, `stdin`.
        self.name = name
        self.tally = Tally()
        self._entries = entries
        self._rules = rules
        self._repeats = Repeats()

    def __iter__(self) -> Iterator[NewItem | BadLine]:
        for entry in self._told():
            match self._read(entry):
                case None:
                    pass
                case NewItem() as item:
                    self.tally.items += 1
                    yield item
                case DuplicateLine() as line:
                    self.tally.duplicates += 1
                    yield line
                case BadLine() as line:
                    self.tally.bad += 1
                    yield line
        if not self.tally.items:
            raise SourceError(self._nothing())

    def _told(self) -> Iterator[Entry]:
        try:
            yield from self._entries
        except OSError as error:
            raise SourceError(f"{self.name} can't be read: {error.strerror or error}") from error

    def _read(self, entry: Entry) -> NewItem | BadLine | None:
        match entry:
            case Record():
                return self._record(entry)
            case Named():
                return self._item(Address(uri=entry.uri, stamp=entry.stamp), entry.source, {}, 0)
            case Fault():
                return self._bad(entry.line, entry.text, entry.why)
            case LeftOut():
                self.tally.left_out[entry.ending] += 1
                return None

    def _record(self, record: Record) -> NewItem | BadLine:
        try:
            address = read_address(record.address, self._rules)
        except NoAddress as error:
            return self._bad(record.line, record.address, str(error))
        return self._item(address, self._at(record.line), record.extra, record.line)

    def _item(
        self, address: Address, source: str, extra: Mapping[str, Any], line: int
    ) -> NewItem | BadLine:
        before = self._repeats.first_line(address.uri, line)
        if before is not None:
            why = f"the same as line {before}" if before else "the same file again"
            text = shown(address.uri, TEXT_KEPT)
            return DuplicateLine(source=source, line=line, text=text, why=why)
        return NewItem(
            uri=address.uri,
            trust=self._rules.trust,
            stamp=address.stamp,
            source=source,
            extra=extra,
        )

    def _bad(self, line: int, text: str, why: str) -> BadLine:
        return BadLine(
            source=self._at(line), line=line, text=shown(text, TEXT_KEPT), why=shown(why, WHY_SHOWN)
        )

    def _at(self, line: int) -> str:
        name = storable(self.name)
        return f"{name}:{line}" if line else name

    def _nothing(self) -> str:
        told = "; ".join(self.tally.sentences())
        return f"{self.name}: nothing to scan" + (f" ({told})" if told else "")
