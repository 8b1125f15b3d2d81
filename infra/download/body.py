"""The bytes of an answer: bounded on the wire and after decoding, and hashed as they pass."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from infra.download.limits import too_large
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

#: Decoded at once at most, so that a bomb costs no more memory than this.
CHUNK = 64 << 10

#: We ask for none; some servers compress all the same.
_WINDOW_BITS = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


def bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > limit:
            raise too_large(f"more than {limit}", limit)
        yield chunk


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterable[bytes]:
    """The content itself, whatever single encoding the server wrapped around it."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return chunks
    if name not in _WINDOW_BITS:
        raise Refused(Outcome.NOT_MEDIA, f"sent in the encoding {name!r:.40}, not asked for")
    return _inflated(chunks, _WINDOW_BITS[name])


def _inflated(chunks: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(window_bits)
    try:
        for chunk in chunks:
            yield from _pieces(inflate, chunk)
    except zlib.error as error:
        raise TryAgain(f"the server's compression is broken: {error}") from error
    if not inflate.eof:
        raise TryAgain("the compressed body broke off")


def _pieces(inflate: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    while chunk and not inflate.eof:
        yield inflate.decompress(chunk, CHUNK)
        chunk = inflate.unconsumed_tail


def write_hashed(chunks: Iterable[bytes], into: BinaryIO) -> tuple[str, int]:
    """Store the content; its SHA-256 and its size."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += into.write(chunk)
    into.flush()
    return digest.hexdigest(), size
