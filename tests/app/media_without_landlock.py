"""The real media library, in a keeper that believes its kernel has no Landlock."""

from collections.abc import Iterator
from typing import BinaryIO
from unittest.mock import patch

from unmask import media
from unmask.media.values import Clip, Limits, Manifest
from unmask.spec import ScanSpec

patch("infra.sandbox.landlock.version", return_value=0).start()


def warm(detectors: tuple[str, ...]) -> None:
    media.warm(detectors)


def extract(file: BinaryIO, spec: ScanSpec, limits: Limits) -> Iterator[Clip | Manifest]:
    return media.extract(file, spec, limits)
