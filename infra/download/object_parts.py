"""The same for objects in our buckets: the beginning first, and more as its reader asks for it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import httpcore
import httpx
from botocore.exceptions import ClientError

from infra.download.body import CHUNK
from infra.download.buckets import Buckets, place_of
from infra.download.limits import Deadline, too_large
from infra.download.objects import download_object, of_the_item, timed
from infra.download.parts import HEAD_BYTES, SMALL_BYTES, Parts
from infra.download.ranges import NotInParts, read_piece
from infra.download.web import Web
from schemas.records import Fetched
from unmask.media.holes import Range

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_NO_PART = frozenset({"InvalidRange", "416", "PreconditionFailed", "412"})


@dataclass(kw_only=True)
class ObjectParts(Parts):
    client: "S3Client"
    uri: str
    bucket: str
    key: str

    def facts(self, own: str) -> Fetched:
        return replace(super().facts(f"{own} {self.uri}"), final_uri=self.uri)

    def begin(self) -> None:
        """The first part, and all of a small file."""
        asked = (0, HEAD_BYTES)
        deadline = Deadline(self.web.limits.deadline_s)
        with self._answer(asked, deadline) as answer:
            piece = read_piece(answer, asked)
            if piece.size > self.web.limits.max_bytes:
                raise too_large(piece.size, self.web.limits.max_bytes)
            self.size, self.validator = piece.size, piece.validator
            self.into.truncate(piece.size)
            self.take(answer, piece)
        self.spent_s = deadline.seconds - deadline.left()
        if self.size <= SMALL_BYTES:
            self.fill_up()

    @contextmanager
    def _answer(self, part: Range, deadline: Deadline) -> Iterator[httpcore.Response]:
        """As a web server would have answered."""
        if self.size:
            self._web_for(part)  # refuses what is over the cap
        with of_the_item(self.uri), _in_parts():
            got = self.client.get_object(Bucket=self.bucket, Key=self.key, **self._which(part))
            told = got["ResponseMetadata"]
            with closing(got["Body"]) as body:
                yield httpcore.Response(
                    told["HTTPStatusCode"],
                    headers=list(told["HTTPHeaders"].items()),
                    content=timed(body.iter_chunks(CHUNK), deadline),
                )

    def _which(self, part: Range) -> Any:
        """An object that was replaced meanwhile is refused by the store itself."""
        same = {"IfMatch": self.validator} if self.validator.startswith('"') else {}
        return {"Range": f"bytes={part[0]}-{part[1] - 1}"} | same


def begin_object(uri: str, into: BinaryIO, buckets: Buckets, web: Web) -> Parts | Fetched:
    """The first part; or the whole, where the store gives no parts or the file is small."""
    bucket, key = place_of(uri, buckets)
    parts = ObjectParts(
        into=into,
        url=httpx.URL(scheme="s3", host=bucket),
        uri=uri,
        web=web,
        size=0,
        validator="",
        client=buckets.client(),
        bucket=bucket,
        key=key,
    )
    try:
        parts.begin()
    except NotInParts as error:
        into.seek(0)
        into.truncate(0)
        return download_object(uri, into, buckets, web.limits.without(error.received, 0.0))
    if not parts.is_whole:
        return parts
    return Fetched(final_uri=uri, sha256=parts.downloaded().sha256, bytes_fetched=parts.received)


@contextmanager
def _in_parts() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_PART:
            raise NotInParts("the object is empty, or another by now") from error
        raise
