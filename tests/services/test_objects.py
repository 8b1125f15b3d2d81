"""One contract for every object store: a folder, and S3 as a real server over HTTP."""

import base64
import hashlib
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from infra.objects import (
    Corrupt,
    FolderStore,
    Missing,
    Store,
    StoreOptions,
    clip_key,
    evidence_key,
    manifest_key,
    open_store,
)
from infra.objects.keys import BadKey
from infra.objects.s3 import S3Store
from unmask.errors import TryAgain, Unusable

FILE = "ab" * 32
SPEC = "0123456789abcdef"
MODEL = "cd" * 32
BUCKET = "clips-of-tests"

pytestmark = pytest.mark.usefixtures("s3_credentials")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def a_key(data: bytes, person: int = 0) -> str:
    return clip_key(FILE, SPEC, person=person, clip_sha256=sha(data))


KEY, OTHER_KEY = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def sealed(folder: Path, keys: str | None) -> Store:
    return open_store(str(folder / "objects"), StoreOptions(folder_keys=keys))


@pytest.fixture(params=["folder", "sealed folder", "s3", "s3 with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "objects"))
    if request.param == "sealed folder":
        return sealed(tmp_path, KEY)
    endpoint = request.getfixturevalue("s3_url")
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
    prefix = f"run-{tmp_path.name}" + ("/deep/er" if "prefix" in request.param else "")
    options = StoreOptions(endpoint_url=endpoint, path_style=True)
    return open_store(f"s3://{BUCKET}/{prefix}", options)


def test_what_is_put_is_got(store: Store) -> None:
    kept = store.put(a_key(b"a clip"), b"a clip")
    assert (kept.key, kept.sha256, kept.size) == (a_key(b"a clip"), sha(b"a clip"), 6)
    assert store.exists(kept.key)
    assert store.get(kept.key, sha256=sha(b"a clip")) == b"a clip"


def test_large_and_empty_objects(store: Store) -> None:
    for data in (b"", os.urandom(9 << 20)):
        store.put(a_key(data), data)
        assert store.get(a_key(data), sha256=sha(data)) == data


def test_a_key_is_written_once(store: Store) -> None:
    key = a_key(b"first")
    store.put(key, b"first")
    store.put(key, b"other")
    assert store.get(key, sha256=sha(b"first")) == b"first"


def test_an_object_of_another_length_is_mended(store: Store) -> None:
    key = a_key(b"whole")
    store.put(key, b"who")
    store.put(key, b"whole")
    assert store.get(key, sha256=sha(b"whole")) == b"whole"


def test_other_bytes_are_never_handed_out(store: Store) -> None:
    key = a_key(b"clip")
    store.put(key, b"evil")
    with pytest.raises(Corrupt, match="the ledger knows"):
        store.get(key, sha256=sha(b"clip"))


def test_a_missing_object_is_told_from_a_store_that_is_away(store: Store) -> None:
    store.put(a_key(b"other"), b"other")
    with pytest.raises(Missing):
        store.get(a_key(b"never"), sha256=sha(b"never"))
    assert not store.exists(a_key(b"never"))


def test_delete_takes_many_and_forgives_absent_ones(store: Store) -> None:
    keys = [a_key(b"x", person) for person in range(5)]
    for key in keys[:3]:
        store.put(key, b"x")
    store.delete(iter(keys))
    store.delete([])
    assert not any(store.exists(key) for key in keys)
    assert list(store.list()) == []


def test_nothing_is_deleted_once_it_is_too_late(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked anew before each step: one is still in time."""
    monkeypatch.setattr("infra.objects.s3.AT_ONCE", 1)
    keys = [a_key(b"x", person) for person in range(3)]
    for key in keys:
        store.put(key, b"x")
    in_time = iter([None])

    def deadline() -> None:
        if next(in_time, "late") == "late":
            raise TryAgain("too late")

    with pytest.raises(TryAgain, match="too late"):
        store.delete(keys, deadline)
    assert [store.exists(key) for key in keys] == [False, True, True]


def test_list_is_by_prefix_and_complete(store: Store) -> None:
    clips = {a_key(b"x", person) for person in range(3)}
    clips.add(manifest_key(FILE, SPEC, manifest_sha256=sha(b"x")))
    evidence = evidence_key(FILE, SPEC, MODEL, person=0, window=2, picture_sha256=sha(b"x"))
    for key in clips | {evidence}:
        store.put(key, b"x")
    assert {one.key for one in store.list()} == clips | {evidence}
    assert {one.key for one in store.list(f"clips/{FILE}")} == clips
    assert {one.key for one in store.list(f"clips/{FILE}/{SPEC}/1-")} == {a_key(b"x", 1)}
    (only,) = store.list("evidence/")
    assert (only.key, only.size) == (evidence, 1)
    assert abs(only.modified_at.timestamp() - time.time()) < 60
    assert list(store.list("evidence/ff")) == []


def test_list_and_delete_go_over_more_than_one_page(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.objects.s3.AT_ONCE", 7)
    keys = {a_key(b"x", person) for person in range(20)}
    for key in keys:
        store.put(key, b"x")
    assert {one.key for one in store.list()} == keys
    store.delete(keys)
    assert list(store.list()) == []


def test_a_healthy_store_passes_its_check_and_keeps_no_trace(store: Store) -> None:
    store.check()
    assert list(store.list()) == []


BAD_KEYS = [
    "",
    "clips",
    "clips/",
    "/clips/a",
    "clips//a",
    "clips/../a",
    "clips/./a",
    "clips/a/",
    "clips/A",
    "clips/a b",
    "clips/a\n",
    "clips/a\x00",
    "clips/.hidden",
    "clips/a.",
    "clips/é",
    "clips/٣",
    "clips/a\\b",
    "secrets/a",
    "clipsx/a",
    "../clips/a",
    "clips/" + "a" * 129,
    "clips/" + "/".join("a" * 100 for _ in range(4)),
    "clips/%2e%2e/a",
]


def test_a_name_that_is_not_ours_touches_nothing(store: Store) -> None:
    acts: list[Callable[[str], object]] = [
        lambda key: store.put(key, b"x"),
        lambda key: store.get(key, sha256=sha(b"x")),
        store.exists,
        lambda key: store.delete([key]),
    ]
    for key, act in itertools.product(BAD_KEYS, acts):
        with pytest.raises(BadKey):
            act(key)
    assert list(store.list()) == []


def test_a_prefix_that_is_not_ours_lists_nothing(store: Store) -> None:
    for prefix in ("..", "/", "clips/..", "other", "clips/A", "clips//"):
        with pytest.raises(BadKey):
            list(store.list(prefix))


def test_keys_are_made_of_digests_and_small_numbers_only() -> None:
    with pytest.raises(BadKey):
        clip_key("../../etc/passwd", SPEC, person=0, clip_sha256=FILE)
    with pytest.raises(BadKey):
        clip_key(FILE, "../x", person=0, clip_sha256=FILE)
    with pytest.raises(BadKey):
        clip_key(FILE.upper(), SPEC, person=0, clip_sha256=FILE)
    with pytest.raises(BadKey):
        clip_key(FILE, SPEC, person=-1, clip_sha256=FILE)
    with pytest.raises(BadKey):
        evidence_key(FILE, "../x", MODEL, person=0, window=0, picture_sha256=FILE)
    with pytest.raises(BadKey):
        evidence_key(FILE, SPEC, MODEL, person=0, window=10**9, picture_sha256=FILE)


def test_evidence_named_without_a_scan_spec_is_still_read_and_deleted(store: Store) -> None:
    """So earlier versions named it."""
    key = f"evidence/{FILE}/{MODEL}/0-2-{sha(b'x')}.jpg"
    kept = store.put(key, b"x")
    assert store.get(key, sha256=kept.sha256) == b"x"
    assert [one.key for one in store.list(f"evidence/{FILE}/")] == [key]
    store.delete([key])
    assert not store.exists(key)


def test_urls_name_the_store(tmp_path: Path, s3_url: str) -> None:
    folder = open_store(f"file://{tmp_path}/with%20space")
    assert isinstance(folder, FolderStore)
    assert folder.path == tmp_path / "with space"
    bucket = open_store("s3://name/a/b/", StoreOptions(endpoint_url=s3_url))
    assert isinstance(bucket, S3Store)
    assert (bucket.bucket, bucket.prefix) == ("name", "a/b/")


@pytest.mark.parametrize("url", ["", "s3://", "http://x/y", "file://elsewhere/x", "ftp://x"])
def test_a_url_that_names_no_store_is_explained(url: str) -> None:
    with pytest.raises(Unusable, match="give a folder or s3://"):
        open_store(url)


def test_server_side_encryption_is_asked_for(s3_url: str) -> None:
    client = boto3.client("s3", endpoint_url=s3_url)
    client.create_bucket(Bucket="sealed")
    options = StoreOptions(
        endpoint_url=s3_url,
        path_style=True,
        encryption="aws:kms",
        kms_key="alias/faces",
    )
    open_store("s3://sealed", options).put(a_key(b"x"), b"x")
    about = client.head_object(Bucket="sealed", Key=a_key(b"x"))
    assert about["ServerSideEncryption"] == "aws:kms"
    assert about["SSEKMSKeyId"].endswith("alias/faces")


def test_a_bucket_that_is_not_there_is_our_own_fault(s3_url: str) -> None:
    lost = open_store("s3://no-such-bucket", StoreOptions(endpoint_url=s3_url, path_style=True))
    with pytest.raises(Unusable, match="create the bucket"):
        lost.check()


def test_a_sealed_folder_shows_nothing(tmp_path: Path) -> None:
    data = b"a face " * 100
    store = sealed(tmp_path, KEY)
    kept = store.put(a_key(data), data)
    assert (kept.sha256, kept.size) == (sha(data), len(data))
    (file,) = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert b"face" not in file.read_bytes()
    assert store.get(kept.key, sha256=kept.sha256) == data


def test_a_sealed_object_opens_with_its_key_only_and_under_its_name_only(tmp_path: Path) -> None:
    store = sealed(tmp_path, KEY)
    kept = store.put(a_key(b"clip"), b"clip")
    with pytest.raises(Unusable, match="UNMASK_STORE_KEY"):
        sealed(tmp_path, None).get(kept.key, sha256=kept.sha256)
    with pytest.raises(Corrupt, match="UNMASK_STORE_KEY"):
        sealed(tmp_path, OTHER_KEY).get(kept.key, sha256=kept.sha256)
    other = a_key(b"clip", 1)
    (tmp_path / "objects" / kept.key).rename(tmp_path / "objects" / other)
    with pytest.raises(Corrupt):
        store.get(other, sha256=kept.sha256)


def test_keys_can_be_changed(tmp_path: Path) -> None:
    old = sealed(tmp_path, None).put(a_key(b"plain"), b"plain")
    first = sealed(tmp_path, KEY).put(a_key(b"first"), b"first")
    both = sealed(tmp_path, f"{OTHER_KEY}, {KEY}")
    second = both.put(a_key(b"second"), b"second")
    for kept, data in ((old, b"plain"), (first, b"first"), (second, b"second")):
        assert both.get(kept.key, sha256=kept.sha256) == data
    assert sealed(tmp_path, OTHER_KEY).get(second.key, sha256=second.sha256) == b"second"


@pytest.mark.parametrize("key", ["short", "c2hvcnQ=", "!!!", f"{KEY},"])
def test_a_key_that_is_none_stops_the_start(tmp_path: Path, key: str) -> None:
    with pytest.raises(Unusable, match="UNMASK_STORE_KEY is no key"):
        sealed(tmp_path, key)
