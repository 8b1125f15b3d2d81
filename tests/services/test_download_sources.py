"""Files of this machine, and objects in configured buckets."""

import dataclasses
import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import pytest

from infra.download import Buckets, DownloadLimits, Fetcher, NotInParts, stamp_of
from infra.guard import Guard
from schemas.records import Trust
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

MEDIA = b"film" * 1000


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(guard=Guard(), limits=DownloadLimits(max_bytes=1 << 20, deadline_s=10))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "a film.mp4"
    file.write_bytes(MEDIA)
    return file


def refused(fetcher: Fetcher, uri: str, stamp: str = "", trust: Trust = Trust.LOCAL) -> Refused:
    with pytest.raises(Refused) as caught, fetcher.fetch(uri, trust, stamp):
        pass
    return caught.value


def test_a_file_is_read_in_place_and_hashed(fetcher: Fetcher, film: Path) -> None:
    for uri in (str(film), film.as_uri(), f"file://localhost{film.as_uri()[7:]}"):
        with fetcher.fetch(uri, Trust.LOCAL, stamp_of(film.stat())) as content:
            assert content.file.read() == MEDIA
            assert content.fetched.sha256 == hashlib.sha256(MEDIA).hexdigest()
            assert content.fetched.final_uri == uri
            assert content.fetched.bytes_fetched == 0


def test_a_name_that_is_no_text_is_found(fetcher: Fetcher, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"film-\xff.mp4")
    file.write_bytes(MEDIA)
    with fetcher.fetch(file.as_uri(), Trust.LOCAL) as content:
        assert content.file.read() == MEDIA


def test_a_link_to_a_file_is_followed(fetcher: Fetcher, film: Path) -> None:
    link = film.with_name("link.mp4")
    link.symlink_to(film)
    with fetcher.fetch(str(link), Trust.LOCAL, stamp_of(film.stat())) as content:
        assert content.file.read() == MEDIA


def test_a_file_that_changed_since_is_refused_with_what_to_do(fetcher: Fetcher, film: Path) -> None:
    stamp = stamp_of(film.stat())
    film.write_bytes(MEDIA + b"more")
    found = refused(fetcher, str(film), stamp)
    assert found.outcome is Outcome.UNREACHABLE
    assert "submit it again" in found.reason


def test_a_file_touched_since_is_refused(fetcher: Fetcher, film: Path) -> None:
    stamp = stamp_of(film.stat())
    os.utime(film, ns=(1, 1))
    assert "changed" in refused(fetcher, str(film), stamp).reason


def test_a_file_that_is_not_there_or_not_ours_is_unreachable(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    for uri in (
        str(tmp_path / "none.mp4"),
        str(tmp_path / "none" / "x"),
        "/x\0y",
        "/" + "a" * 5000,
    ):
        assert refused(fetcher, uri).outcome is Outcome.UNREACHABLE


def test_what_is_no_file_is_not_media_and_is_not_waited_for(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path in (pipe, tmp_path, Path("/dev/zero"), empty):
        assert refused(fetcher, str(path)).outcome is Outcome.NOT_MEDIA


def test_a_large_file_is_too_large(fetcher: Fetcher, tmp_path: Path) -> None:
    file = tmp_path / "large.mp4"
    with file.open("wb") as out:
        out.truncate(2 << 20)
    assert refused(fetcher, str(file)).outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("uri", ["file://elsewhere/x.mp4", "file:///x.mp4?a", "file:///x.mp4#a"])
def test_a_file_address_of_another_machine_is_blocked(fetcher: Fetcher, uri: str) -> None:
    assert refused(fetcher, uri).outcome is Outcome.BLOCKED


# --- buckets ---


@pytest.fixture
def buckets(s3_url: str, s3_credentials: None) -> Fetcher:
    client = boto3.client("s3", endpoint_url=s3_url)
    for bucket in ("films", "private"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a/film 1.mp4", Body=MEDIA)
    client.put_object(Bucket="films", Key="empty.mp4", Body=b"")
    return Fetcher(
        guard=Guard(),
        limits=DownloadLimits(max_bytes=len(MEDIA), deadline_s=10),
        buckets=Buckets(names=frozenset({"films", "gone"}), endpoint_url=s3_url, path_style=True),
    )


@pytest.mark.parametrize("trust", Trust)
def test_an_object_of_a_configured_bucket_is_read(buckets: Fetcher, trust: Trust) -> None:
    with buckets.fetch("s3://films/a/film 1.mp4", trust) as content:
        assert content.file.read() == MEDIA
        assert content.fetched.sha256 == hashlib.sha256(MEDIA).hexdigest()
        assert content.fetched.bytes_fetched == len(MEDIA)


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("uri", ["s3://private/a/film 1.mp4", "S3://private/x", "s3://", "s3:///x"])
def test_no_other_bucket_is_read(buckets: Fetcher, uri: str, trust: Trust) -> None:
    assert refused(buckets, uri, trust=trust).outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    "key",
    ["../private/a/film 1.mp4", "a/../../private/a/film 1.mp4", "a/./film 1.mp4", "..", "a/.."],
)
def test_no_name_climbs_into_another_bucket(buckets: Fetcher, key: str) -> None:
    assert refused(buckets, f"s3://films/{key}").outcome is Outcome.BLOCKED
    with (
        pytest.raises(Refused) as caught,
        buckets.fetch_beginning(f"s3://films/{key}", Trust.REMOTE),
    ):
        pass
    assert caught.value.outcome is Outcome.BLOCKED


@pytest.mark.parametrize("uri", ["s3://films/none.mp4", "s3://gone/x.mp4", "s3://films/"])
def test_an_object_that_is_not_there_is_unreachable(buckets: Fetcher, uri: str) -> None:
    assert refused(buckets, uri).outcome is Outcome.UNREACHABLE


def test_an_empty_object_is_not_media(buckets: Fetcher) -> None:
    assert refused(buckets, "s3://films/empty.mp4").outcome is Outcome.NOT_MEDIA


def test_an_object_over_the_limit_is_too_large(buckets: Fetcher, s3_url: str) -> None:
    boto3.client("s3", endpoint_url=s3_url).put_object(
        Bucket="films", Key="large.mp4", Body=MEDIA + b"x"
    )
    before = open_connections(s3_url)
    refusal = refused(buckets, "s3://films/large.mp4")
    assert refusal.outcome is Outcome.TOO_LARGE
    # Its traceback holds whatever nobody closed.
    assert open_connections(s3_url) <= before, "what is left of the body still waits to be read"


def open_connections(url: str) -> int:
    port = urlsplit(url).port
    return sum(
        bool(one.raddr) and one.raddr[1] == port for one in psutil.Process().net_connections()
    )


def test_a_bucket_that_is_away_is_tried_again(buckets: Fetcher) -> None:
    away = Fetcher(
        guard=Guard(),
        limits=buckets.limits,
        buckets=Buckets(names=frozenset({"films"}), endpoint_url="http://127.0.0.1:1"),
    )
    with pytest.raises(TryAgain, match="does not answer"), away.fetch("s3://films/x", Trust.REMOTE):
        pass


# --- only the beginning of an object ---

FILM = os.urandom(4 << 20)


@pytest.fixture
def film_store(buckets: Fetcher, s3_url: str) -> Fetcher:
    boto3.client("s3", endpoint_url=s3_url).put_object(Bucket="films", Key="a b%.mp4", Body=FILM)
    return dataclasses.replace(buckets, limits=DownloadLimits(max_bytes=8 << 20, deadline_s=30))


def test_of_an_object_only_the_beginning_comes(film_store: Fetcher) -> None:
    with film_store.fetch_beginning("s3://films/a b%.mp4", Trust.REMOTE) as content:
        assert content.parts is not None
        end = len(FILM) - 1
        assert content.parts.fill(end) == (end, end + 1)
        facts = content.facts("item 1")
        assert content.file.read(1000) == FILM[:1000]
        content.file.seek(end)
        assert content.file.read() == FILM[end:]
    assert facts.final_uri == "s3://films/a b%.mp4"
    assert facts.sha256 != hashlib.sha256(FILM).hexdigest()
    assert facts.part is not None
    assert (facts.part.size, facts.part.ranges[-1]) == (len(FILM), (end, end))
    assert facts.bytes_fetched == (512 << 10) + 1


def test_an_object_that_is_replaced_meanwhile_is_never_put_together(
    film_store: Fetcher, s3_url: str
) -> None:
    with film_store.fetch_beginning("s3://films/a b%.mp4", Trust.REMOTE) as content:
        boto3.client("s3", endpoint_url=s3_url).put_object(
            Bucket="films", Key="a b%.mp4", Body=FILM[::-1]
        )
        assert content.parts is not None
        assert content.parts.fill(3 << 20) is None
        assert isinstance(content.parts.trouble, NotInParts)


def test_a_small_object_comes_whole(buckets: Fetcher) -> None:
    with buckets.fetch_beginning("s3://films/a/film 1.mp4", Trust.REMOTE) as content:
        assert content.parts is None
        assert content.fetched.sha256 == hashlib.sha256(MEDIA).hexdigest()
        assert content.file.read() == MEDIA


@pytest.mark.parametrize(
    ("uri", "outcome"),
    [
        ("s3://films/empty.mp4", Outcome.NOT_MEDIA),
        ("s3://films/none.mp4", Outcome.UNREACHABLE),
        ("s3://gone/x.mp4", Outcome.UNREACHABLE),
        ("s3://private/a/film 1.mp4", Outcome.BLOCKED),
    ],
)
def test_the_beginning_of_an_object_ends_as_the_whole_does(
    film_store: Fetcher, uri: str, outcome: Outcome
) -> None:
    with pytest.raises(Refused) as caught, film_store.fetch_beginning(uri, Trust.REMOTE):
        pass
    assert caught.value.outcome is outcome


def test_an_object_over_the_limit_costs_its_beginning_only(film_store: Fetcher) -> None:
    small = dataclasses.replace(film_store, limits=DownloadLimits(max_bytes=1 << 20))
    with (
        pytest.raises(Refused) as caught,
        small.fetch_beginning("s3://films/a b%.mp4", Trust.REMOTE),
    ):
        pass
    assert caught.value.outcome is Outcome.TOO_LARGE
