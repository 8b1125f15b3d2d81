"""From the setting to the store."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.objects.folder import FolderStore
from infra.objects.port import Encryption, Store
from infra.objects.seal import seal_of
from unmask.errors import Unusable


@dataclass(frozen=True, kw_only=True)
class StoreOptions:
    """How S3 is reached, and what a folder is sealed with. Credentials are boto3's own matter."""

    endpoint_url: str | None = None
    path_style: bool = False
    encryption: Encryption = "none"
    kms_key: str | None = None
    #: Keys of a folder, the newest first.
    folder_keys: str | None = field(default=None, repr=False)


def open_store(url: str, options: StoreOptions | None = None) -> Store:
    """A store from `s3://bucket/prefix`, `file:///path` or a path."""
    parts, chosen = urlsplit(url), options or StoreOptions()
    match parts.scheme:
        case "s3" if parts.netloc:
            return _s3(parts.netloc, parts.path, chosen)
        case "file" if parts.netloc in ("", "localhost") and parts.path:
            return FolderStore(unquote(parts.path), seal_of(chosen.folder_keys))
        case "" if url:
            return FolderStore(Path(url).expanduser(), seal_of(chosen.folder_keys))
        case _:
            raise Unusable(f"object storage {url!r}: give a folder or s3://bucket/prefix")


def _s3(bucket: str, prefix: str, options: StoreOptions) -> Store:
    from infra.objects.s3 import S3Store

    return S3Store(
        bucket,
        prefix,
        endpoint_url=options.endpoint_url,
        path_style=options.path_style,
        encryption=options.encryption,
        kms_key=options.kms_key,
    )
