"""One labelled file of a data set."""

from dataclasses import dataclass
from pathlib import Path

from unmask.media.manifest import MANIFEST_FILE
from unmask.train.crops import BadData

#: What a file is called where nothing was manipulated.
REAL = "real"


@dataclass(frozen=True, kw_only=True)
class Item:
    """`identities` are the people (or originals) in it: files that share one stay together."""

    path: Path
    fake: bool
    identities: tuple[str, ...]
    #: The manipulation, or `real`.
    method: str = REAL
    #: `train`, `validation` or `test` where the data set itself says so.
    part: str | None = None

    def __post_init__(self) -> None:
        if self.fake == (self.method == REAL):
            raise BadData(f"{self.path}: labelled {self.label}, but its method is `{self.method}`")
        if not self.identities:
            raise BadData(f"{self.path}: it needs at least one identity or origin")

    @property
    def label(self) -> str:
        return "fake" if self.fake else "real"

    @property
    def is_cut(self) -> bool:
        """Whether it is clips already, as a campaign stored them, in place of the media."""
        return self.path.name == MANIFEST_FILE

    @property
    def name(self) -> str:
        return f"{self.method}/{self.path.parent.name if self.is_cut else self.path.stem}"
