"""Which S3 buckets may be read, and what an address in one of them names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.guard import blocked

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """Which buckets may be read, and how they are reached."""

    names: frozenset[str] = frozenset()
    endpoint_url: str | None = None
    path_style: bool = False

    def client(self) -> "S3Client":
        from infra.objects.s3 import make_client

        return make_client(endpoint_url=self.endpoint_url, path_style=self.path_style)


def place_of(uri: str, buckets: Buckets) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    if bucket not in buckets.names:
        raise blocked(f"the bucket {bucket!r:.80} is not one that may be scanned")
    if {".", ".."} & set(key.split("/")):
        # Some servers make one path of bucket and name, and take a step up for another bucket.
        raise blocked("the object's name has a step up or none in it: `..` or `.`")
    return bucket, key
