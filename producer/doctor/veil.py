"""Takes secrets out of findings: an error's text may carry the address that it failed on."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

from producer.doctor.finding import Finding
from unmask.wording import printable

if TYPE_CHECKING:
    from settings import Settings

MASK = "***"
#: Shorter ones stand in any word: starred there, the stars would spell them out.
LONG = 4


def veil(settings: "Settings") -> Callable[[Finding], Finding]:
    """Longest first, so that no part of a secret is left standing."""
    secrets = sorted({one for one in _secrets(settings) if one}, key=len, reverse=True)
    patterns = [_where_it_stands(one) for one in secrets]

    def hide(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(MASK, text)
        return printable(" ".join(text.split()))

    return lambda found: dataclasses.replace(found, says=hide(found.says), mend=hide(found.mend))


def _where_it_stands(secret: str) -> re.Pattern[str]:
    """A long one anywhere; a short one in an address, as an option's value or between quotes."""
    it = re.escape(secret)
    if len(secret) >= LONG:
        return re.compile(it)
    return re.compile(rf"""(?<=:){it}(?=@)|(?<==){it}(?![^\s&;,'")\]])|(?<=['"]){it}(?=['"])""")


def _secrets(settings: "Settings") -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            yield from _in_address(secret) if name.endswith("_url") else [secret]


def _in_address(address: str) -> Iterator[str]:
    """The password, as it is written and as it is meant, wherever it stands."""
    try:
        parts = urlsplit(address)
    except ValueError:
        yield address
        return
    for name, value in parse_qsl(parts.query):
        if "password" in name:
            yield from (value, quote(value), quote_plus(value))
    password = parts.password or ""
    yield from (password, unquote(password))
