"""All checks, one after the other. One that breaks is a finding like any other."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from producer.doctor import broker, database, device, disk, fleet, models, room, storage
from producer.doctor.finding import Finding, bad
from producer.doctor.veil import veil
from unmask.errors import UnmaskError

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

Check = Callable[["Settings"], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "Redis": broker.check,
    "ledger": database.check,
    "object storage": storage.check,
    "disk": disk.check,
    "models": models.check,
    "sandbox": room.check,
    "classifier": device.check,
    "workers": fleet.check,
}


def examine(settings: "Settings", checks: Mapping[str, Check] = CHECKS) -> Iterator[Finding]:
    """Findings as they come; no secret of the settings stands in any of them."""
    hidden = veil(settings)
    for what, check in checks.items():
        for finding in _guarded(what, check, settings):
            yield hidden(finding)


def _guarded(what: str, check: Check, settings: "Settings") -> Iterator[Finding]:
    try:
        yield from check(settings)
    except UnmaskError as error:
        yield bad(what, str(error))
    except Exception as error:
        log.debug("the check of %s broke", what, exc_info=True)
        yield bad(
            what,
            f"could not be checked: {type(error).__name__}: {error}",
            "if that does not tell you what is wrong, report it as a fault of this program",
        )
