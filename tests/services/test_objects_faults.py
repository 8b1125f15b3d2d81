"""Stores that fail: nothing unverified comes out, nothing half-written is seen."""

import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from infra.objects import Corrupt, FolderStore, Missing, NotDeleted, clip_key
from infra.objects.s3 import S3Store
from tests import servers
from tests.services.strangers import Behaviour, Stranger, Visit, head, stranger
from unmask.errors import TryAgain, Unusable

DATA = b"the face of somebody" * 100
SHA = hashlib.sha256(DATA).hexdigest()
KEY = clip_key("ab" * 32, "0123456789abcdef", person=0, clip_sha256=SHA)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _surroundings(s3_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.objects.s3.TRIES", 2)
    monkeypatch.setattr("infra.objects.s3.READ_TIMEOUT_S", 0.5)


# --- a bucket that misbehaves ---


@pytest.fixture
def server() -> Iterator[tuple[Stranger, dict[str, Behaviour]]]:
    with stranger() as one:
        yield one


def bucket(server: tuple[Stranger, dict[str, Behaviour]], *behaviours: Behaviour) -> S3Store:
    """A store whose object behaves in these ways, the last one for good."""
    left = list(behaviours)

    def behave(visit: Visit) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(visit)

    server[1][f"/faces/{KEY}"] = behave
    return S3Store("faces", endpoint_url=f"http://127.0.0.1:{server[0].port}", path_style=True)


def sends(body: bytes, *, declared: int | None = None) -> Behaviour:
    length = len(body) if declared is None else declared
    return lambda visit: visit.send(head("200 OK", {"Content-Length": str(length)}) + body)


def answers(status: str, code: str) -> Behaviour:
    body = f"<Error><Code>{code}</Code><Message>sorry</Message></Error>".encode()
    return lambda visit: visit.answer(status, body, Content_Type="application/xml")


def silent(visit: Visit) -> None:
    visit.wait(10)


def hangs_up(visit: Visit) -> None:
    visit.client.shutdown(socket.SHUT_RDWR)


SLOW_DOWN = answers("503 Slow Down", "SlowDown")
BROKEN = answers("500 Internal Server Error", "InternalError")


def test_a_passing_fault_is_not_seen(server: tuple[Stranger, dict[str, Behaviour]]) -> None:
    for fault in (SLOW_DOWN, BROKEN, hangs_up):
        assert bucket(server, fault, sends(DATA)).get(KEY, sha256=SHA) == DATA


@pytest.mark.parametrize("fault", [SLOW_DOWN, BROKEN, hangs_up, silent])
def test_a_lasting_fault_is_for_later(
    server: tuple[Stranger, dict[str, Behaviour]], fault: Behaviour
) -> None:
    store = bucket(server, fault)
    for act in (
        lambda: store.get(KEY, sha256=SHA),
        lambda: store.put(KEY, DATA),
        lambda: store.exists(KEY),
    ):
        with pytest.raises(TryAgain, match="object storage"):
            act()


def test_a_body_that_breaks_off_is_for_later(
    server: tuple[Stranger, dict[str, Behaviour]],
) -> None:
    with pytest.raises(TryAgain):
        bucket(server, sends(DATA[:100], declared=len(DATA))).get(KEY, sha256=SHA)


@pytest.mark.parametrize("body", [DATA[:-1], DATA + b"x", DATA[::-1], b"", b"<html>login</html>"])
def test_wrong_bytes_are_corrupt(
    server: tuple[Stranger, dict[str, Behaviour]], body: bytes
) -> None:
    with pytest.raises(Corrupt, match="the ledger knows"):
        bucket(server, sends(body)).get(KEY, sha256=SHA)


LOCKED = clip_key("ab" * 32, "0123456789abcdef", person=1, clip_sha256=SHA)


def refuses(key: str) -> Behaviour:
    """One of the objects that are to be deleted."""
    words = f"<Key>prod/{key}</Key><Code>AccessDenied</Code><Message>it is locked</Message>"
    body = f"<DeleteResult><Error>{words}</Error></DeleteResult>".encode()
    return lambda visit: visit.answer("200 OK", body, Content_Type="application/xml")


def test_what_a_bucket_refuses_to_delete_is_told_by_name(
    server: tuple[Stranger, dict[str, Behaviour]],
) -> None:
    server[1]["/faces?delete"] = refuses(LOCKED)
    address = f"http://127.0.0.1:{server[0].port}"
    store = S3Store("faces", "prod", endpoint_url=address, path_style=True)
    with pytest.raises(NotDeleted, match=f"{LOCKED}: AccessDenied it is locked") as told:
        store.delete([KEY, LOCKED])
    assert told.value.keys == {LOCKED}


def test_a_bucket_is_asked_once_to_delete(server: tuple[Stranger, dict[str, Behaviour]]) -> None:
    """A second try may come when the objects belong to another item."""
    asked = list[Visit]()

    def behave(visit: Visit) -> None:
        asked.append(visit)
        SLOW_DOWN(visit)

    server[1]["/faces?delete"] = behave
    address = f"http://127.0.0.1:{server[0].port}"
    with pytest.raises(TryAgain, match="SlowDown"):
        S3Store("faces", endpoint_url=address, path_style=True).delete([KEY])
    assert len(asked) == 1


def test_an_object_that_is_gone_is_missing(server: tuple[Stranger, dict[str, Behaviour]]) -> None:
    with pytest.raises(Missing):
        bucket(server, answers("404 Not Found", "NoSuchKey")).get(KEY, sha256=SHA)


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        ("403 Forbidden", "AccessDenied", "give these credentials"),
        ("403 Forbidden", "InvalidAccessKeyId", "correct the access key"),
        ("403 Forbidden", "SignatureDoesNotMatch", "correct the secret key"),
        ("404 Not Found", "NoSuchBucket", "create the bucket"),
    ],
)
def test_what_the_operator_must_mend_says_how(
    server: tuple[Stranger, dict[str, Behaviour]], status: str, code: str, remedy: str
) -> None:
    with pytest.raises(Unusable, match=remedy):
        bucket(server, answers(status, code)).get(KEY, sha256=SHA)


def test_no_server_is_for_later() -> None:
    store = S3Store("faces", endpoint_url="http://127.0.0.1:1", path_style=True)
    with pytest.raises(TryAgain, match="does not answer"):
        store.check()


def test_half_a_put_is_never_handed_out_and_is_mended() -> None:
    with servers.s3() as url:
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="faces")
        store = S3Store("faces", endpoint_url=url, path_style=True)
        where = urlsplit(url)
        with socket.create_connection((str(where.hostname), int(where.port or 0))) as client:
            fields = {"Host": where.netloc, "Content-Length": str(len(DATA))}
            request = head("", fields).replace(b"HTTP/1.1 ", f"PUT /faces/{KEY} HTTP/1.1".encode())
            client.sendall(request + DATA[:100])
        with pytest.raises((Corrupt, TryAgain)):
            store.get(KEY, sha256=SHA)
        store.put(KEY, DATA)
        assert store.get(KEY, sha256=SHA) == DATA


def tagged(status: str, *, length: int, tag: str = '"an encrypted object"') -> Behaviour:
    return lambda visit: visit.send(head(status, {"Content-Length": str(length), "ETag": tag}))


def test_a_store_that_keeps_half_and_says_yes_is_not_believed(
    server: tuple[Stranger, dict[str, Behaviour]],
) -> None:
    absent, yes = tagged("404 Not Found", length=0), tagged("200 OK", length=0)
    half, whole = tagged("200 OK", length=len(DATA) // 2), tagged("200 OK", length=len(DATA))
    with pytest.raises(TryAgain, match="kept a part"):
        bucket(server, absent, yes, half).put(KEY, DATA)
    assert bucket(server, half, yes, whole).put(KEY, DATA).size == len(DATA)


# --- a folder that misbehaves ---


@pytest.mark.parametrize("body", [DATA[:-1], DATA + b"x", DATA[::-1], b""])
def test_a_file_that_was_changed_is_corrupt(tmp_path: Path, body: bytes) -> None:
    store = FolderStore(tmp_path)
    store.put(KEY, DATA)
    (tmp_path / KEY).write_bytes(body)
    with pytest.raises(Corrupt):
        store.get(KEY, sha256=SHA)


KILLED = """
    import os, signal, sys
    from infra.objects import FolderStore
    def die(_handle):
        os.kill(os.getpid(), signal.SIGKILL)
    os.fsync = die
    FolderStore(sys.argv[1]).put(sys.argv[2], b"the face of somebody")
"""


def test_what_a_killed_writer_leaves_is_invisible_and_cleaned(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), KEY]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    store = FolderStore(tmp_path)
    assert not store.exists(KEY)
    assert list(store.list()) == []
    assert store.clean(older_than_s=3600) == 0
    assert store.clean(older_than_s=0) == 1
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    store.put(KEY, DATA)
    assert store.clean(older_than_s=0) == 0
    assert store.get(KEY, sha256=SHA) == DATA


def test_a_folder_that_others_keep_taking_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`delete` takes empty folders with it: one is empty before its first object lies in it, and
    after its last one went."""
    store, replace, taken = FolderStore(tmp_path), os.replace, list[str]()

    def taken_away(part: str, target: str) -> None:
        if len(taken) < 5:
            taken.append(target)
            Path(target).parent.rmdir()
        replace(part, target)

    def deleted_at_once(part: str, target: str) -> None:
        replace(part, target)
        store.delete([KEY])

    monkeypatch.setattr(os, "replace", taken_away)
    store.put(KEY, DATA)
    assert len(taken) == 5
    assert store.get(KEY, sha256=SHA) == DATA
    store.delete([KEY])
    monkeypatch.setattr(os, "replace", deleted_at_once)
    store.put(KEY, DATA)
    assert not store.exists(KEY)


def test_the_way_to_a_new_object_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was made is an entry in the one above it."""
    synced, fsync = list[str](), os.fsync

    def noting(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    FolderStore(tmp_path).put(KEY, DATA)
    way = [str(folder) for folder in (tmp_path / KEY).parents if folder.is_relative_to(tmp_path)]
    assert set(way) <= set(synced)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_or_failing_disk_is_for_later_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    store = FolderStore(tmp_path)
    with pytest.raises(TryAgain, match=os.strerror(number)):
        store.put(KEY, DATA)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_folder_that_can_not_be_is_our_own_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FolderStore(tmp_path / "file" / "objects")
    for act in (store.check, lambda: store.put(KEY, DATA), lambda: store.get(KEY, sha256=SHA)):
        with pytest.raises(Unusable, match="check the folder"):
            act()


def test_clips_are_for_nobody_else_on_this_machine(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    store.put(KEY, DATA)
    assert (tmp_path / "objects" / KEY).stat().st_mode & 0o077 == 0
    assert (tmp_path / "objects" / "clips").stat().st_mode & 0o077 == 0


def test_what_a_folder_can_not_delete_holds_up_nothing_else(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put(KEY, DATA)
    (tmp_path / LOCKED / "of-somebody").mkdir(parents=True)
    with pytest.raises(NotDeleted, match=LOCKED) as told:
        store.delete([LOCKED, KEY])
    assert told.value.keys == {LOCKED}
    assert not store.exists(KEY)


def test_foreign_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put(KEY, DATA)
    (tmp_path / "README").touch()
    (tmp_path / "clips" / "Thumbs.db").touch()
    assert [one.key for one in store.list()] == [KEY]


def test_deleting_the_last_object_takes_its_folders_along(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    store.put(KEY, DATA)
    store.delete([KEY])
    assert not (tmp_path / "objects" / "clips").exists()
