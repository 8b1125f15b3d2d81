"""Object storage on S3, or on anything that speaks it."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.objects.keys import check_key, check_prefix, is_key
from infra.objects.port import (
    Encryption,
    Listed,
    Missing,
    NotDeleted,
    round_trip,
    stored,
    verified,
    whenever,
)
from infra.objects.s3_errors import READ_ERRORS, explained, is_missing
from schemas.records import StoredObject
from unmask.errors import TryAgain, Unusable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
#: The first try and three more, with backoff and jitter between them (botocore, `standard`).
TRIES = 4
#: More than the threads of any worker.
POOL_CONNECTIONS = 32
#: The most that one request lists or deletes.
AT_ONCE = 1000


def make_client(
    *, endpoint_url: str | None, path_style: bool, tries: int | None = None
) -> "S3Client":
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": tries or TRIES},
        max_pool_connections=POOL_CONNECTIONS,
        s3={"addressing_style": "path" if path_style else "auto"},
        # Stores other than Amazon's often reject the newer trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session()
    address, authority = _endpoint(endpoint_url)
    return session.client(
        "s3",
        region_name=session.region_name or "us-east-1",
        endpoint_url=address,
        verify=authority,
        config=config,
    )


def _endpoint(url: str | None) -> tuple[str | None, str | None]:
    """The address, and the file of the authority that signed its certificate: `?ca_certs=/path`."""
    if url is None:
        return None, None
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    authority = options.pop("ca_certs", None)
    if options:
        raise Unusable(f"UNMASK_S3_ENDPOINT_URL says {', '.join(options)}: only ca_certs is known")
    if authority and not Path(authority).is_file():
        raise Unusable(f"UNMASK_S3_ENDPOINT_URL: there is no file {authority}")
    return parts._replace(query="").geturl(), authority


class S3Store:
    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        path_style: bool = False,
        encryption: Encryption = "none",
        kms_key: str | None = None,
    ) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._encryption = _encryption(encryption, kms_key)
        self._make_client = partial(make_client, endpoint_url=endpoint_url, path_style=path_style)
        try:
            self._client = self._make_client()
        except (BotoCoreError, ValueError) as error:
            raise Unusable(f"object storage s3://{bucket}: {error}") from error

    def __repr__(self) -> str:
        return f"S3Store({self.bucket!r}, {self.prefix!r})"

    def make(self) -> None:
        """Make the bucket where there is none."""
        with explained(f"s3://{self.bucket}"):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if not is_missing(error):
                    raise
                self._client.create_bucket(Bucket=self.bucket)

    def put(self, key: str, data: bytes) -> StoredObject:
        kept = stored(key, data)
        if self._size(key) != len(data):
            self._send(key, data)
        return kept

    def _send(self, key: str, data: bytes) -> None:
        """Some stores take a cut body and say that all is well: what was kept is looked at.

        The answer's tag is the MD5 of what was kept, unless it was encrypted; then its length says.
        """
        md5 = hashlib.md5(data, usedforsecurity=False)
        with explained(self._where(key)):
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=self.prefix + key,
                Body=data,
                # Other stores refuse a body that was cut or changed on the way.
                ContentMD5=base64.b64encode(md5.digest()).decode(),
                **self._encryption,
            )
        if answer.get("ETag", "").strip('"') != md5.hexdigest() and self._size(key) != len(data):
            raise TryAgain(f"object storage kept a part of {self._where(key)}: it is sent again")

    def get(self, key: str, *, sha256: str) -> bytes:
        check_key(key)
        with explained(self._where(key)):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)
                with closing(answer["Body"]) as body:
                    data = body.read()
            except ClientError as error:
                if is_missing(error):
                    raise Missing(f"{key} is not in {self!r}") from error
                raise
            except READ_ERRORS as error:
                raise TryAgain(f"object storage broke off while sending {key}: {error}") from error
        return verified(key, data, sha256)

    @cached_property
    def _deleter(self) -> "S3Client":
        """It tries once: a second try, long after `deadline` was asked, might be too late."""
        return self._make_client(tries=1)

    def exists(self, key: str) -> bool:
        return self._size(check_key(key)) is not None

    def delete(self, keys: Iterable[str], deadline: Callable[[], None] = whenever) -> None:
        names, refused = (self.prefix + check_key(key) for key in keys), dict[str, str]()
        while some := list(islice(names, AT_ONCE)):
            try:
                deadline()
            except TryAgain as late:
                rest = (name.removeprefix(self.prefix) for name in [*some, *names])
                refused |= dict.fromkeys(rest, str(late))
                break
            refused |= self._delete(some)
        if refused:
            raise NotDeleted(refused)

    def list(self, prefix: str = "") -> Iterator[Listed]:
        wanted = self.prefix + check_prefix(prefix)
        with explained(self._where(prefix)):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(
                Bucket=self.bucket, Prefix=wanted, PaginationConfig={"PageSize": AT_ONCE}
            ):
                for one in page.get("Contents", ()):
                    key = one["Key"].removeprefix(self.prefix)
                    if is_key(key):
                        yield Listed(key=key, size=one["Size"], modified_at=one["LastModified"])

    def clean(self, *, older_than_s: float) -> int:
        """An object is there whole or not at all: there is nothing to clean."""
        return 0

    def check(self) -> None:
        round_trip(self, f"checks/{secrets.token_hex(16)}")

    def _size(self, key: str) -> int | None:
        with explained(self._where(key)):
            try:
                about = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
        return about["ContentLength"]

    def _delete(self, names: Sequence[str]) -> dict[str, str]:
        """Keys that the store refused to delete, each with its words."""
        with explained(self._where(names[0])):
            answer = self._deleter.delete_objects(
                Bucket=self.bucket,
                Delete={"Objects": [{"Key": name} for name in names], "Quiet": True},
            )
        return {
            one["Key"].removeprefix(self.prefix): f"{one.get('Code')} {one.get('Message')}"
            for one in answer.get("Errors", ())
        }

    def _where(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"


def _encryption(kind: Encryption, kms_key: str | None) -> dict[str, Any]:
    if kind == "none":
        return {}
    return {"ServerSideEncryption": kind} | ({"SSEKMSKeyId": kms_key} if kms_key else {})
