"""The models a GPU worker can serve, by digest, loaded when first asked for."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from unmask.errors import UnmaskError, Unusable
from unmask.model.bundle import BadBundle, Bundle
from unmask.model.clips import PersonFrames
from unmask.model.heat import HeatMap
from unmask.model.predict import Predictor, Warmed, load
from unmask.model.shelf import find_bundle, names
from unmask.verdict import WindowScore

log = logging.getLogger(__name__)

#: Loaded at the same time at most; a campaign pins one.
KEPT = 2


class UnknownModel(UnmaskError):
    """No bundle of this digest is here: another worker has to serve the campaign."""


class Unfit(UnmaskError):
    """The bundle is here, but damaged, or this machine can't compute it: others may serve."""


class Scores(Protocol):
    """What the batcher asks of a predictor."""

    @property
    def bundle(self) -> Bundle: ...

    @property
    def device(self) -> str: ...

    def score(
        self, clips: Sequence[PersonFrames], deadline: Callable[[], None]
    ) -> list[list[WindowScore]]: ...

    def heat(
        self, wanted: Sequence[Warmed], deadline: Callable[[], None]
    ) -> list[list[HeatMap]]: ...


class Serves(Protocol):
    def predictor(self, digest: str) -> Scores: ...


class Models:
    def __init__(self, shelf: Path, device: str | None) -> None:
        self._shelf, self._device = shelf, device
        self._loaded: dict[str, Predictor] = {}

    def predictor(self, digest: str) -> Predictor:
        if digest not in self._loaded:
            self._load(digest)
        return self._loaded[digest]

    def _load(self, digest: str) -> None:
        try:
            predictor = load(self._find(digest), self._device)
            predictor.self_test()
        except Unusable as error:
            raise Unfit(str(error)) from error
        log.info("%s serves on %s", predictor.bundle.name, predictor.device)
        while len(self._loaded) >= KEPT:
            del self._loaded[next(iter(self._loaded))]
        self._loaded[digest] = predictor

    def _find(self, digest: str) -> Bundle:
        for name in names(self._shelf):
            try:
                bundle = find_bundle(name, self._shelf)
            except BadBundle as error:
                # Another campaign's trouble, if anybody's.
                log.warning("left aside: %s", error)
                continue
            if bundle.digest == digest:
                return bundle
        raise UnknownModel(f"no model of digest {digest} in {self._shelf}")
