"""`python -m bench media`: the media core against the papers' path and strong peers.

    python -m bench media                                everything: a table, then one JSON line
    python -m bench media --part papers --keep FOLDER    one part, and what the folder knows

Sides take turns, five times; the median counts. Slow paths run on a few stated frames and are
scaled per frame. With `--keep`, films and results stay in the folder and are used again, so that
the parts can be run one by one.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.media_length import long_film
from bench.media_parts import Part
from bench.media_profile import profile
from bench.media_reading import contiguous, sparse
from bench.media_road import against_composed, against_papers
from bench.timing import quiet

PARTS: dict[str, Callable[[Path], Part]] = {
    "papers": against_papers,
    "composed": against_composed,
    "sparse": sparse,
    "contiguous": contiguous,
    "long": long_film,
    "profile": profile,
}


def main() -> None:
    asked, started = _parser().parse_args(), time.monotonic()
    with _folder(asked.keep) as folder:
        for name in [asked.part] if asked.part else PARTS:
            _run(name, folder)
        done = [part for name in PARTS if (part := _known(folder, name))]
    for part in done:
        print("\n".join(["", *part.lines]))
    figures = {name: value for part in done for name, value in part.figures.items()}
    print("\n" + json.dumps(figures | {"bench_s": round(time.monotonic() - started)}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench media")
    parser.add_argument("--part", choices=sorted(PARTS))
    parser.add_argument("--keep", type=Path, help="a folder for films and results")
    return parser


def _run(name: str, folder: Path) -> None:
    before = quiet()
    part = PARTS[name](folder)
    part.figures[f"load_{name}"] = round(os.getloadavg()[0], 1)
    part.lines.append(f"({before} before this part)")
    (folder / f"{name}.json").write_text(json.dumps(part.__dict__))


def _known(folder: Path, name: str) -> Part | None:
    file = folder / f"{name}.json"
    return Part(**json.loads(file.read_text())) if file.exists() else None


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    keep.mkdir(parents=True, exist_ok=True)
    yield keep
