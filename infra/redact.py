"""Addresses without their secrets, for logs, reports, Flower and the results table."""

import re
from typing import Any
from urllib.parse import unquote, unquote_plus

MASK = "***"
#: Longer labels are cut in the middle: the host and the file's name tell most.
LABEL_CHARACTERS = 80

_SECRET_NAME = re.compile(
    r"^(x-(amz|goog|oss|cos|ms)-|x-.*(sign|token|cred))"
    r"|sig|token|secret|passw|pwd|credential|auth|session|jwt|hmac|bearer|cookie"
    r"|api[-_]?key|access[-_]?key|key$"
    r"|^(hdnea|hdnts|hdntl|hash|md5|policy|key-pair-id|st|se|sv|code|ticket|awsaccesskeyid"
    r"|googleaccessid|verify|secure|hm|oh|nonce|otp)$",
    re.IGNORECASE,
)
#: Whatever it is called: a long number in hexadecimal, or a web token.
_SECRET_VALUE = re.compile(r"[0-9a-fA-F]{40,}|eyJ[\w-]{8,400}\.[\w-]+", re.ASCII)
#: Of both cases and with digits it is chance that wrote it, not a person.
_RUN = re.compile(r"[A-Za-z0-9]{24,}", re.ASCII)
_KINDS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))
_PLACE_AND_REST = re.compile(r"([^?#]*)(.*)", re.DOTALL)
_PARAMETER = re.compile(r"(?P<start>[?#&;])(?P<name>[^=&;#?]*)=(?P<value>[^&;#]*)")
#: Some servers take what is signed as a part of the path.
_IN_PLACE = re.compile(r"(?P<start>[/;~,])(?P<name>[A-Za-z][\w-]*)=(?P<value>[^/;~,]*)", re.ASCII)
_SEGMENT = re.compile(r"/bot\d+:[\w-]+|/eyJ[\w-]{8,400}\.[\w.-]+", re.ASCII)
#: An address within words ends where no address goes on.
_IN_TEXT = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s<>\"`\\]+")
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@")
_INNER_USERINFO = re.compile(r"//[^/?#]*@")


def redact(uri: str) -> str:
    """The same address, without user and password and with what opens doors masked.

    >>> redact("https://me:pw@cdn.example/a.mp4?width=64&X-Amz-Signature=abc")
    'https://cdn.example/a.mp4?width=64&X-Amz-Signature=***'
    """
    bare = _USERINFO.sub(lambda found: f"{found.group(1) or ''}//", uri)
    found = _PLACE_AND_REST.fullmatch(bare)
    assert found is not None  # it matches every text
    place = _IN_PLACE.sub(_mask_named, _SEGMENT.sub(f"/{MASK}", found[1]))
    return place + _PARAMETER.sub(_mask_one, found[2])


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


def _mask_named(found: re.Match[str]) -> str:
    return _masked(found, is_secret=_SECRET_NAME.search(found["name"]) is not None)


def _mask_one(found: re.Match[str]) -> str:
    value = unquote(found["value"])
    named = _SECRET_NAME.search(unquote_plus(found["name"])) is not None
    return _masked(found, is_secret=named or _is_secret(value))


def _is_secret(value: str) -> bool:
    """It looks like one, or is an address that holds one."""
    if _SECRET_VALUE.search(value) or _INNER_USERINFO.search(value) or _has_random(value):
        return True
    inner = _PARAMETER.finditer(value) if "://" in value else ()
    return any(_SECRET_NAME.search(unquote_plus(one["name"])) for one in inner)


def _has_random(value: str) -> bool:
    return any(all(kind.search(run[0]) for kind in _KINDS) for run in _RUN.finditer(value))


def _masked(found: re.Match[str], *, is_secret: bool) -> str:
    value = MASK if is_secret and found["value"] else found["value"]
    return f"{found['start']}{found['name']}={value}"
