"""A connection to PostgreSQL that gives up on a server that is silent."""

import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen, PQGenConn

#: No statement of the ledger takes nearly as long.
ANSWER_WITHIN_S = 60.0


class PatientConnection(psycopg.Connection[Any]):
    """Gives up, and closes itself, where the server is silent for too long."""

    def wait(self, gen: PQGen[RV] | PQGenConn[RV], *given: Any, **named: Any) -> RV:
        try:
            return super().wait(_bounded(gen), *given, **named)
        except _Silent as error:
            self.close()
            raise psycopg.OperationalError(str(error)) from None


class _Silent(Exception):
    """The server has not answered within its time."""


def _bounded(gen: Generator[Any, Any, RV]) -> Generator[Any, Any, RV]:
    """psycopg wakes its generators several times a second, with nothing while nothing came."""
    asked_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                asked_at = time.monotonic()
            elif time.monotonic() > asked_at + ANSWER_WITHIN_S:
                raise _Silent(f"the server has not answered for {ANSWER_WITHIN_S:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        answer: RV = end.value
        return answer
