"""Looking a host up within the deadline: the system's resolver knows none."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from infra.download.limits import Deadline
from infra.guard import Guard, Pinned
from unmask.errors import Unanswered

#: A resolver that is silent for longer is away.
LOOKUP_S = 15.0


def pin(guard: Guard, url: httpx.URL, deadline: Deadline) -> Pinned:
    asking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lookup")
    try:
        return asking.submit(guard.pin, url).result(timeout=deadline.within(LOOKUP_S))
    except TimeoutError:
        deadline.left()
        raise Unanswered(f"looking up {url.host} took longer than {LOOKUP_S:g} s") from None
    finally:
        asking.shutdown(wait=False, cancel_futures=True)
