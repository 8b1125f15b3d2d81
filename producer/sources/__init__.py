"""Where items come from: a folder, a file, a list, a table, a pipe or a bucket.

for entry in open_source("list.csv"):
    match entry:
        case BadLine(): print(entry)      # list.csv:17: neither a web address nor a file: …
        case NewItem(): ...
"""

from producer.sources.listing import bucket_lister
from producer.sources.opening import STDIN, open_source
from producer.sources.source import Source
from producer.sources.values import (
    BadLine,
    DuplicateLine,
    Lister,
    SourceError,
    Tally,
)

__all__ = [
    "STDIN",
    "BadLine",
    "DuplicateLine",
    "Lister",
    "Source",
    "SourceError",
    "Tally",
    "bucket_lister",
    "open_source",
]
