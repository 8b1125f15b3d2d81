"""Labelled face crops that no shipped model learned from, for comparisons of what models say."""

import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from pathlib import Path

from unmask.model.clips import PersonFrames
from unmask.train.scoring import still
from unmask.train.splits import Shares, split
from unmask.train.tars import find_tars, load_crops


def asked(name: str, about: str | None, folder: str) -> Namespace:
    """A comparison's two words: `model` and `folder`."""
    reader = ArgumentParser(prog=f"python -m bench {name}", description=about)
    reader.formatter_class = RawDescriptionHelpFormatter
    reader.add_argument("model", help="a bundle's folder, or a shipped one's name")
    reader.add_argument("folder", type=Path, help=folder)
    return reader.parse_args()


def crops(folder: Path) -> Iterator[tuple[bool, PersonFrames]]:
    """Whether each is fake, and the crop as a picture of somebody."""
    with tempfile.TemporaryDirectory() as cache:
        found = load_crops(find_tars(folder), Path(cache))
        for index in split(found, Shares())["test"]:
            yield bool(found.fake[index]), still(found.pictures[index])
