"""What an answer of S3 means for the item and for the operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import HTTPError

from infra.objects.port import StoreUnusable
from unmask.errors import TryAgain, Unusable

#: What can happen while a body is read.
READ_ERRORS = (HTTPError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)

_AWAY = (EndpointConnectionError, ConnectionClosedError, HTTPClientError, *READ_ERRORS)

_MISSING = {"NoSuchKey", "404", "NotFound"}

#: Codes that a person has to mend, and how.
_OURS = {
    "NoSuchBucket": "create the bucket, or correct its name",
    "AccessDenied": "give these credentials read, write, list and delete on the bucket",
    "403": "give these credentials read, write, list and delete on the bucket",
    "InvalidAccessKeyId": "correct the access key",
    "SignatureDoesNotMatch": "correct the secret key",
    "PermanentRedirect": "set the bucket's region",
    "AuthorizationHeaderMalformed": "set the bucket's region",
    "InvalidBucketName": "correct the bucket's name",
    "KMS.NotFoundException": "correct the KMS key",
}


def is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _MISSING


@contextmanager
def explained(where: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        _raise(error, where)
    except _AWAY as error:
        raise TryAgain(f"object storage does not answer at {where}: {error}") from error
    except NoCredentialsError as error:
        raise StoreUnusable(
            f"no S3 credentials for {where}",
            mend="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        ) from error
    except BotoCoreError as error:
        raise Unusable(f"object storage {where}: {error}") from error


def _raise(error: ClientError, where: str) -> Never:
    about = error.response["Error"]
    code, message = about["Code"], about.get("Message", "")
    if code in _OURS:
        says = f"object storage {where}: {code} {message}"
        raise StoreUnusable(says, mend=_OURS[code]) from error
    raise TryAgain(f"object storage {where}: {code} {message}") from error
