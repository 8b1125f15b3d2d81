"""The made-up media library, in a keeper whose guests have no memory to build their locks."""

from typing import Never
from unittest.mock import patch

from tests.app import made_up_media


def _out_of_memory(*_: object) -> Never:
    raise MemoryError


patch("infra.sandbox.confine.Locks.made", _out_of_memory).start()

warm, extract = made_up_media.warm, made_up_media.extract
