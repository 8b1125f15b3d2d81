"""`s3://bucket/prefix` → the media objects under it."""

from collections.abc import Iterator

from producer.sources.endings import ending, plainly_no_media
from producer.sources.values import Fault, LeftOut, Lister, Named, SourceError

SCHEME = "s3://"


def read_bucket(text: str, lister: Lister | None) -> Iterator[Named | LeftOut | Fault]:
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise SourceError(f"{text}: no bucket named; write s3://bucket/prefix")
    if lister is None:
        raise SourceError(f"{text}: no object storage is configured to list it")
    for at, key in enumerate(lister(bucket, prefix), start=1):
        yield from _object(bucket, key, at)


def _object(bucket: str, key: str, at: int) -> Iterator[Named | LeftOut | Fault]:
    parts = key.split("/")
    if key.endswith("/") or any(part.startswith(".") for part in parts):
        return
    if not key.isprintable():
        yield Fault(line=at, text=key, why="a control character in the key")
    elif plainly_no_media(parts[-1]):
        yield LeftOut(ending=ending(parts[-1]) or parts[-1])
    else:
        yield Named(uri=f"{SCHEME}{bucket}/{key}", stamp="", source=f"{SCHEME}{bucket}/{key}")
