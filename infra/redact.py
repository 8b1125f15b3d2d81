"""Addresses without their secrets, for logs, reports, Flower and the results table."""

import re
from typing import Any
from urllib.parse import SplitResult, unquote_plus, urlsplit

MASK = "***"
#: Longer labels are cut in the middle: the host and the file's name tell most.
LABEL_CHARACTERS = 80

_SECRET_NAME = re.compile(
    r"^(x-(amz|goog|oss|cos|ms)-|x-.*(sign|token|cred))"
    r"|sig|token|secret|passw|pwd|credential|auth|api[-_]?key|access[-_]?key|session|jwt"
    r"|^(key|hash|hmac|policy|key-pair-id|st|se|sv|code|ticket|awsaccesskeyid|googleaccessid)$",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"(?P<start>^|[&;])(?P<name>[^=&;]*)=(?P<value>[^&;]*)")
#: An address within words ends where no address goes on.
_IN_TEXT = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s<>\"'`{}|\\^]+")
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@")


def redact(uri: str) -> str:
    """The same address, without user and password and with secret query values masked.

    >>> redact("https://me:pw@cdn.example/a.mp4?width=64&X-Amz-Signature=abc")
    'https://cdn.example/a.mp4?width=64&X-Amz-Signature=***'
    """
    bare = _USERINFO.sub(lambda found: f"{found.group(1) or ''}//", uri)
    try:
        return _masked(urlsplit(bare)) if "?" in bare or "#" in bare else bare
    except ValueError:
        return bare.partition("?")[0].partition("#")[0]


def redact_text(text: str) -> str:
    """Words that may name addresses, such as an error's.

    >>> redact_text("no route to redis://:pw@host/0, tried twice")
    'no route to redis://host/0, tried twice'
    """
    return _IN_TEXT.sub(lambda found: redact(found[0]), text) if "://" in text else text


def redact_values(value: Any) -> Any:
    """The same in every text of a table's cell, however deep."""
    match value:
        case str():
            return redact_text(value)
        case dict():
            return {redact_text(name): redact_values(one) for name, one in value.items()}
        case list():
            return [redact_values(one) for one in value]
        case _:
            return value


def label(uri: str) -> str:
    """Short enough for a line of a table."""
    clean = redact(uri)
    if len(clean) <= LABEL_CHARACTERS:
        return clean
    head = LABEL_CHARACTERS // 2
    return f"{clean[: head - 1]}…{clean[head - LABEL_CHARACTERS :]}"


def _masked(parts: SplitResult) -> str:
    if parts.scheme not in ("http", "https", "s3", "ftp", ""):
        return parts.geturl()
    return parts._replace(query=_mask(parts.query), fragment=_mask(parts.fragment)).geturl()


def _mask(query: str) -> str:
    return _PARAMETER.sub(_mask_one, query)


def _mask_one(found: re.Match[str]) -> str:
    secret = _SECRET_NAME.search(unquote_plus(found["name"])) and found["value"]
    return f"{found['start']}{found['name']}={MASK if secret else found['value']}"
