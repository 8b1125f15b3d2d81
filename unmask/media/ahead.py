"""Work done on another thread while its last results are still being looked at."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], most: int, sure: int | None = None) -> Generator[Item]:
    """The same items; up to `most` are made before they are asked for.

    Only the first `sure` ones, where that is told: the others may not be asked for at all. What
    `items` raises is raised here. Whoever stops early closes this: then no more is made, and the
    thread is gone.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        asked = count() if sure is None else iter(range(sure))
        made = deque(thread.submit(next, items, None) for _ in islice(asked, most))
        try:
            while (item := _next(made, thread, items)) is not None:
                made.extend(thread.submit(next, items, None) for _ in islice(asked, 1))
                yield item
        finally:
            thread.shutdown(cancel_futures=True)


def _next(
    made: deque[Future[Item | None]], thread: ThreadPoolExecutor, items: Iterator[Item]
) -> Item | None:
    return (made.popleft() if made else thread.submit(next, items, None)).result()
