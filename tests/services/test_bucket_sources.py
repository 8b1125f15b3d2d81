"""Items from a bucket of a real S3 server."""

from collections.abc import Iterator

import boto3
import pytest

from infra.download import Buckets
from producer.sources import SourceError, bucket_lister, open_source
from schemas.records import NewItem
from tests import servers
from unmask.errors import Unusable


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with servers.s3() as url:
        yield url


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in servers.S3_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def buckets(endpoint: str, *names: str) -> Buckets:
    return Buckets(names=frozenset(names), endpoint_url=endpoint, path_style=True)


def test_every_page_of_a_prefix_is_listed(endpoint: str) -> None:
    bucket = servers.make_bucket(endpoint)
    client = boto3.client("s3", endpoint_url=endpoint)
    keys = [f"in/{at:04}.mp4" for at in range(5)]
    for key in [*keys, "in/list.csv", "elsewhere/x.mp4"]:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    lister = bucket_lister(buckets(endpoint, bucket), page=2)
    source = open_source(f"s3://{bucket}/in/", lister=lister)
    uris = [one.uri for one in source if isinstance(one, NewItem)]
    assert uris == [f"s3://{bucket}/{key}" for key in keys]
    assert source.tally.left_out == {".csv": 1}


def test_a_bucket_that_is_not_configured_is_not_asked(endpoint: str) -> None:
    lister = bucket_lister(buckets(endpoint, "another"))
    with pytest.raises(SourceError, match=r"'private' is not one .* UNMASK_S3_SOURCE_BUCKETS"):
        list(open_source("s3://private/", lister=lister))


def test_a_bucket_that_is_not_there_says_so(endpoint: str) -> None:
    lister = bucket_lister(buckets(endpoint, "nowhere"))
    with pytest.raises(Unusable, match="NoSuchBucket"):
        list(open_source("s3://nowhere/", lister=lister))
