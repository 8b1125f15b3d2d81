"""Fetching: web addresses through the guard, configured buckets, and this machine's own files."""

from infra.download.buckets import Buckets
from infra.download.fetch import Content, Fetcher, Fetches
from infra.download.limits import DownloadLimits
from infra.download.local import local_path, stamp_of
from infra.download.ranges import NotInParts
from infra.download.web import Downloaded, Follow, Web, download

__all__ = [
    "Buckets",
    "Content",
    "DownloadLimits",
    "Downloaded",
    "Fetcher",
    "Fetches",
    "Follow",
    "NotInParts",
    "Web",
    "download",
    "local_path",
    "stamp_of",
]
