"""Items in configured S3 buckets. Imported where one is met: boto3 takes long to load."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from botocore.exceptions import ClientError

from infra.download.body import CHUNK, bounded, write_hashed
from infra.download.buckets import Buckets, place_of
from infra.download.limits import Deadline, DownloadLimits, too_large
from infra.objects.s3_errors import explained, is_missing
from schemas.records import Fetched
from unmask.errors import Refused, Unusable
from unmask.outcomes import Outcome


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
