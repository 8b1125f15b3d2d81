"""The made-up media library, in a keeper whose guests take long to be ready."""

import time
from unittest.mock import patch

from infra.sandbox.confine import Locks
from tests.app import made_up_media


def _busy(ruleset: int | None) -> Locks:
    while time.process_time() < made_up_media.BUSY_S:
        pass
    return _made(ruleset)


_made = Locks.made
patch("infra.sandbox.confine.Locks.made", _busy).start()

warm, extract = made_up_media.warm, made_up_media.extract
