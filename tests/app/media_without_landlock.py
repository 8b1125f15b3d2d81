"""The real media library, in a keeper without Landlock."""

from collections.abc import Iterator
from typing import BinaryIO

from tests.app import no_landlock
from unmask import media
from unmask.media.values import Clip, Limits, Manifest
from unmask.spec import ScanSpec

no_landlock.take_away()


def warm(detectors: tuple[str, ...]) -> None:
    media.warm(detectors)


def extract(file: BinaryIO, spec: ScanSpec, limits: Limits) -> Iterator[Clip | Manifest]:
    return media.extract(file, spec, limits)
