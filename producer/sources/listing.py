"""The objects of a configured bucket, page by page."""

from collections.abc import Iterator

from infra.download import Buckets
from producer.sources.values import Lister, SourceError
from unmask.wording import printable

#: What S3 hands out in one answer at most.
PAGE = 1000


def bucket_lister(buckets: Buckets, *, page: int = PAGE) -> Lister:
    def lister(bucket: str, prefix: str) -> Iterator[str]:
        if bucket not in buckets.names:
            raise SourceError(
                f"the bucket {printable(bucket)!r} is not one that may be scanned: "
                "name it in UNMASK_S3_SOURCE_BUCKETS"
            )
        from infra.objects.s3_errors import explained

        with explained(f"s3://{bucket}"):
            pages = buckets.client().get_paginator("list_objects_v2")
            for part in pages.paginate(
                Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": page}
            ):
                yield from (found["Key"] for found in part.get("Contents", []))

    return lister
