"""What an HTTP status means for the item."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore

from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
#: Too early, too much, or too slow: the same request may succeed later.
PASSING = frozenset({408, 425, 429})
#: Faults of a server that it will not mend by itself.
LASTING = frozenset({501, 505, 510})
#: A server can't put an item off for longer.
LONGEST_WAIT_S = 24 * 3600.0


def check_status(status: int, retry_after: str | None) -> None:
    """Pass 200; raise what everything else means."""
    if status == HTTPStatus.OK:
        return
    answer = f"the server answered {status} {_phrase(status)}".rstrip()
    if status in PASSING or (status >= 500 and status not in LASTING):
        raise TryAgain(answer, after_s=wait_s(retry_after))
    raise Refused(Outcome.UNREACHABLE, answer)


def header(answer: httpcore.Response, name: bytes) -> str | None:
    values = [value for key, value in answer.headers if key.lower() == name]
    return values[0].decode("utf-8", "replace") if values else None


def wait_s(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds, a number or a date; None where there is none that can be read."""
    if not retry_after:
        return None
    try:
        wait = float(retry_after) if retry_after.isdecimal() else _until(retry_after)
    except (ValueError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_S)


def _until(date: str) -> float:
    when = parsedate_to_datetime(date)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(
        UTC
    ).timestamp()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
