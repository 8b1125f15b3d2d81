"""One line's text → the address of something to scan, or the reason why it is none."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from infra.download import stamp_of
from schemas.records import Trust

MAX_ADDRESS = 8192
#: Spaces, control characters and lone surrogates have no place in a URL.
NOT_IN_URL = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x1f\x7f]")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
#: `www.example.com/…`: somebody forgot the scheme.
BARE_HOST = re.compile(r"www\.|[a-z0-9-]+\.(com|org|net|tv|io|de|uk)/", re.IGNORECASE)


class NoAddress(ValueError):
    """The text names nothing to scan; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Address:
    uri: str
    stamp: str = ""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What lines of one source may name."""

    trust: Trust
    #: Where relative paths start.
    base: Path
    #: Local files must lie below this folder.
    root: Path


def read_address(text: str, rules: Rules) -> Address:
    text = text.strip()
    if not text:
        raise NoAddress("no address")
    if len(text) > MAX_ADDRESS:
        raise NoAddress(f"longer than {MAX_ADDRESS:,} characters")
    found = SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    match scheme:
        case "http" | "https":
            return Address(uri=_web(text))
        case "s3":
            return Address(uri=_bucket(text))
        case "file":
            return _local(_path_of(text), rules)
    if scheme and text[len(scheme) + 1 :].startswith("//"):
        raise _not_fetched(scheme)
    return _local(text, rules)


def path_named(text: str) -> str:
    """The path that a `file:` address names; no other address names one."""
    scheme = text.partition(":")[0].lower()
    if scheme != "file":
        raise _not_fetched(scheme)
    return _path_of(text)


def _not_fetched(scheme: str) -> NoAddress:
    return NoAddress(f"{scheme}: addresses are not fetched; use http, https, s3 or a file name")


def looks_like_address(text: str) -> bool:
    """A cheap guess at a cell of a table whose columns have no telling names."""
    return text.strip().lower().startswith(("http://", "https://", "s3://", "file:"))


def uri_of(path: str) -> str:
    """The path itself; a name that is no UTF-8 is written as a percent-encoded `file:` address."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return Path(path).as_uri()
    return path


def _web(text: str) -> str:
    if bad := NOT_IN_URL.search(text):
        what = "a space (write %20)" if bad[0] == " " else "a character that no address may hold"
        raise NoAddress(f"{what} in the address")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise NoAddress(f"not a valid web address ({error})") from None
    if not host:
        raise NoAddress("a web address without a host")
    return text


def _bucket(text: str) -> str:
    bucket, _, key = text[len("s3://") :].partition("/")
    if not text[len("s3:") :].startswith("//") or not bucket or CONTROL.search(text):
        raise NoAddress("not a valid address of an object (s3://bucket/key)")
    if not key or key.endswith("/"):
        raise NoAddress("names no object; a whole prefix can only be named on the command line")
    return text


def _path_of(text: str) -> str:
    rest = text[len("file:") :]
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise NoAddress(f"a file on another machine ({host})")
        rest = slash + rest
    return os.fsdecode(unquote_to_bytes(rest))


def _local(text: str, rules: Rules) -> Address:
    if rules.trust is not Trust.LOCAL:
        raise NoAddress("only the command line of this machine may name files")
    if CONTROL.search(text):
        raise NoAddress("a control character in the file name")
    path = os.path.normpath(rules.base / text)
    try:
        real = Path(os.path.realpath(path, strict=True))
        facts = real.stat()
    except OSError as error:
        raise NoAddress(_missing(text, error)) from None
    except ValueError:
        raise NoAddress("a character that no file name may hold") from None
    if not real.is_relative_to(os.path.realpath(rules.root)):
        raise NoAddress(
            f"outside {rules.root}, and a list may only name files below its own folder"
        )
    if not stat.S_ISREG(facts.st_mode):
        raise NoAddress("a folder; name it on the command line" if real.is_dir() else "not a file")
    return Address(uri=uri_of(path), stamp=stamp_of(facts))


def _missing(text: str, error: OSError) -> str:
    if BARE_HOST.match(text):
        return "no web address: https:// is missing in front"
    if isinstance(error, FileNotFoundError):
        return "neither a web address nor a file"
    return f"a file that can't be read ({error.strerror})"
