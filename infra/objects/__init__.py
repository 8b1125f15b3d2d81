"""Object storage behind one port: a folder, or S3. Write-once, verified on every read."""

from infra.objects.folder import FolderStore
from infra.objects.keys import clip_key, evidence_key, manifest_key
from infra.objects.opening import StoreOptions, open_store
from infra.objects.port import Corrupt, Listed, Missing, NotDeleted, Store, StoreUnusable

__all__ = [
    "Corrupt",
    "FolderStore",
    "Listed",
    "Missing",
    "NotDeleted",
    "Store",
    "StoreOptions",
    "StoreUnusable",
    "clip_key",
    "evidence_key",
    "manifest_key",
    "open_store",
]
