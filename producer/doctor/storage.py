"""Object storage: does it take, give back and delete?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.objects import StoreUnusable
from infra.resources import store
from producer.doctor.finding import Finding, bad, well
from unmask.errors import TryAgain

if TYPE_CHECKING:
    from settings import Settings


def check(settings: "Settings") -> Iterator[Finding]:
    place = settings.store_url
    try:
        store(settings).check()
    except StoreUnusable as error:
        yield bad("object storage", error.says, error.mend)
    except TryAgain as error:
        yield bad(
            "object storage",
            error.reason,
            "start it, or correct UNMASK_STORE_URL and UNMASK_S3_ENDPOINT_URL",
        )
    else:
        yield well("object storage", f"{place} takes, gives back and deletes")
