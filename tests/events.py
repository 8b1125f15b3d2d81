"""What workers tell the world: all events of a fleet, as Flower gets them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import settings
from workers.app import make_app


@contextmanager
def listening(redis_url: str, into: list[dict[str, Any]]) -> Iterator[None]:
    app, stop = make_app(settings=settings.load(redis_url=redis_url)), threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": into.append})
            while not stop.is_set():
                try:
                    receiver.capture(limit=None, timeout=0.5, wakeup=False)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
