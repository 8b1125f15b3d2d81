"""From what a person typed to the reader that understands it."""

import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from producer.sources.address import NoAddress, Rules, path_named
from producer.sources.buckets import SCHEME, read_bucket
from producer.sources.endings import ADVICE, JSON_LINES, LISTS, PARQUET, TABLES, ending
from producer.sources.folders import named_file, read_folder
from producer.sources.lines import Line, numbered_lines
from producer.sources.source import Entry, Source
from producer.sources.tables import read_table
from producer.sources.text_lists import read_json_lines, read_list, read_mixed
from producer.sources.values import Lister, Record, SourceError
from schemas.records import Trust
from unmask.wording import printable

STDIN = "-"
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def open_source(
    text: str,
    *,
    trust: Trust = Trust.LOCAL,
    column: str | None = None,
    root: Path | None = None,
    lister: Lister | None = None,
    stdin: BinaryIO | None = None,
) -> Source:
    """Read `text` as a folder, file, list, `s3://bucket/prefix`, web address, or `-` for a pipe.

    A list may name files below its own folder (a pipe: below the current one), or below `root`.
    What is wrong with the source as a whole raises `SourceError`, at once where it can be seen
    at once, else while it is read.
    """
    if text == STDIN:
        rules = _rules(trust, Path.cwd(), root)
        lines = numbered_lines(stdin or _stdin())
        return Source(name="stdin", entries=read_mixed(lines, column=column), rules=rules)
    if text.startswith(SCHEME):
        return Source(
            name=text, entries=read_bucket(text, lister), rules=_rules(trust, Path.cwd(), root)
        )
    if text.startswith(("http://", "https://")):
        one = iter([Record(line=0, address=text)])
        return Source(name=text, entries=one, rules=_rules(trust, Path.cwd(), root))
    return _open_path(_path_in(text), trust, column, root)


def _path_in(text: str) -> str:
    """What `file:` names; any other scheme is refused in one sentence."""
    if not ADDRESS.match(text) and not text.startswith("file:"):
        return text
    try:
        return path_named(text)
    except NoAddress as error:
        raise SourceError(f"{printable(text)}: {error}") from None


def _open_path(text: str, trust: Trust, column: str | None, root: Path | None) -> Source:
    if trust is not Trust.LOCAL:
        raise SourceError("only the command line of this machine may name files and folders")
    if not text or "\x00" in text:
        raise SourceError("no folder, file or list is named")
    path = Path(os.path.normpath(Path(text).expanduser().absolute()))
    rules = _rules(trust, path.parent, root)
    if path.is_dir():
        return Source(name=text, entries=read_folder(path), rules=rules)
    return Source(name=path.name, entries=_file(path, column), rules=rules)


def _stdin() -> BinaryIO:
    """Not `sys.stdin`: Python locks that at its end, and a scan that is stopped still reads it."""
    return io.BufferedReader(io.FileIO(0, closefd=False))


def _rules(trust: Trust, folder: Path, root: Path | None) -> Rules:
    return Rules(trust=trust, base=folder, root=root or folder)


def _file(path: Path, column: str | None) -> Iterator[Entry]:
    try:
        facts = path.stat()
        path.open("rb").close()
    except OSError as error:
        raise SourceError(f"{printable(str(path))} can't be read: {_plainly(error)}") from None
    kind = ending(path.name)
    if kind in ADVICE:
        raise SourceError(f"{printable(path.name)} is no list that can be read: {ADVICE[kind]}")
    if kind in PARQUET:
        from producer.sources.parquet import read_parquet

        return read_parquet(path, column=column)
    if reader := _text_reader(path.name, kind, column):
        return _lines_of(path, reader)
    return iter([named_file(path, path.name, facts)])


Reader = Callable[[Iterator[Line]], Iterator[Entry]]


def _text_reader(name: str, kind: str, column: str | None) -> Reader | None:
    if kind in LISTS:
        return read_list
    if kind in JSON_LINES:
        return lambda lines: read_json_lines(lines, column=column)
    if kind in TABLES:
        return lambda lines: read_table(lines, where=name, column=column, delimiter=TABLES[kind])
    return None


def _lines_of(path: Path, reader: Reader) -> Iterator[Entry]:
    with path.open("rb") as stream:
        yield from reader(numbered_lines(stream))


def _plainly(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    return error.strerror or str(error)
