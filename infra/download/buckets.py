"""Items in configured S3 buckets."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from infra.download.body import CHUNK, bounded, write_hashed
from infra.download.limits import Deadline, DownloadLimits, too_large
from infra.guard import blocked
from infra.objects.s3 import make_client
from infra.objects.s3_errors import explained, is_missing
from schemas.records import Fetched
from unmask.errors import Refused, Unusable
from unmask.outcomes import Outcome

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """Which buckets may be read, and how they are reached."""

    names: frozenset[str] = frozenset()
    endpoint_url: str | None = None
    path_style: bool = False

    def client(self) -> "S3Client":
        return make_client(endpoint_url=self.endpoint_url, path_style=self.path_style)


def download_object(uri: str, into: BinaryIO, buckets: Buckets, limits: DownloadLimits) -> Fetched:
    bucket, key = place_of(uri, buckets)
    deadline = Deadline(limits.deadline_s)
    with of_the_item(uri):
        answer = buckets.client().get_object(Bucket=bucket, Key=key)
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] > limits.max_bytes:
                raise too_large(answer["ContentLength"], limits.max_bytes)
            chunks = timed(body.iter_chunks(CHUNK), deadline)
            sha256, size = write_hashed(bounded(chunks, limits.max_bytes), into)
    if not size:
        raise Refused(Outcome.NOT_MEDIA, "the object is empty")
    return Fetched(final_uri=uri, sha256=sha256, bytes_fetched=size)


def place_of(uri: str, buckets: Buckets) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    if bucket not in buckets.names:
        raise blocked(f"the bucket {bucket!r:.80} is not one that may be scanned")
    if {".", ".."} & set(key.split("/")):
        # Some servers make one path of bucket and name, and take a step up for another bucket.
        raise blocked("the object's name has a step up or none in it: `..` or `.`")
    return bucket, key


@contextmanager
def of_the_item(uri: str) -> Iterator[None]:
    """A missing object is the item's fault, and so is a bucket that we can't read for it."""
    try:
        with explained(uri):
            try:
                yield
            except ClientError as error:
                if is_missing(error):
                    reason = "the bucket has no such object"
                    raise Refused(Outcome.UNREACHABLE, reason) from error
                raise
    except Unusable as error:
        raise Refused(Outcome.UNREACHABLE, str(error)) from error


def timed(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    for chunk in chunks:
        deadline.left()
        yield chunk
