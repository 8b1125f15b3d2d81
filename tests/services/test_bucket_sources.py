"""Items from a bucket of a real S3 server."""

import boto3
import pytest

from infra.download import Buckets
from producer.sources import SourceError, bucket_lister, open_source
from schemas.records import NewItem
from tests import servers
from unmask.errors import Unusable

pytestmark = pytest.mark.usefixtures("s3_credentials")


def buckets(s3_url: str, *names: str) -> Buckets:
    return Buckets(names=frozenset(names), endpoint_url=s3_url, path_style=True)


def test_every_page_of_a_prefix_is_listed(s3_url: str) -> None:
    bucket = servers.make_bucket(s3_url)
    client = boto3.client("s3", endpoint_url=s3_url)
    keys = [f"in/{at:04}.mp4" for at in range(5)]
    for key in [*keys, "in/list.csv", "elsewhere/x.mp4"]:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    lister = bucket_lister(buckets(s3_url, bucket), page=2)
    source = open_source(f"s3://{bucket}/in/", lister=lister)
    uris = [one.uri for one in source if isinstance(one, NewItem)]
    assert uris == [f"s3://{bucket}/{key}" for key in keys]
    assert source.tally.left_out == {".csv": 1}


def test_a_bucket_that_is_not_configured_is_not_asked(s3_url: str) -> None:
    lister = bucket_lister(buckets(s3_url, "another"))
    with pytest.raises(SourceError, match=r"'private' is not one .* UNMASK_S3_SOURCE_BUCKETS"):
        list(open_source("s3://private/", lister=lister))


def test_a_bucket_that_is_not_there_says_so(s3_url: str) -> None:
    lister = bucket_lister(buckets(s3_url, "nowhere"))
    with pytest.raises(Unusable, match="NoSuchBucket"):
        list(open_source("s3://nowhere/", lister=lister))
