"""The models a GPU worker can serve, by digest: the likely ones from its start, others if asked."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from unmask.errors import UnmaskError, Unusable
from unmask.model.bundle import BadBundle, Bundle
from unmask.model.clips import PersonFrames
from unmask.model.device import choose_device
from unmask.model.heat import HeatMap, Warmed
from unmask.model.memory import DeviceLost
from unmask.model.predict import Predictor, load
from unmask.model.shelf import default_name, find_bundle, names
from unmask.verdict import WindowScore

log = logging.getLogger(__name__)

#: Loaded at the same time at most; a campaign pins one.
KEPT = 2
#: Of a digest, for people.
SHORT = 12


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

    def warm_up(self, digests: Iterable[str]) -> None: ...


class Models:
    def __init__(self, shelf: Path, device: str | None) -> None:
        self._shelf, self._device = shelf, device
        self._loaded: dict[str, Predictor] = {}

    def predictor(self, digest: str) -> Predictor:
        if digest not in self._loaded:
            self._load(digest)
        return self._loaded[digest]

    def warm_up(self, digests: Iterable[str]) -> None:
        """Loads and tests what is here of these, or else the default, before anybody asks.

        What can't serve is said now, and refused again whenever an item asks for it.
        """
        here = {bundle.digest for bundle in self._bundles()}
        wanted = [digest for digest in dict.fromkeys(digests) if digest in here][:KEPT]
        for digest in wanted or (None,):
            trouble = self._trouble_with(digest)
            if trouble:
                log.error("a model can't be served here: %s", trouble)

    def _trouble_with(self, digest: str | None) -> str:
        """Empty where it is ready now."""
        try:
            self.predictor(digest or self._default())
        except DeviceLost:
            raise
        except (UnmaskError, RuntimeError) as error:
            return str(error)
        return ""

    def _default(self) -> str:
        gpu = choose_device(self._device).type == "cuda"
        return find_bundle(default_name(gpu=gpu, shelf=self._shelf), self._shelf).digest

    def _load(self, digest: str) -> None:
        try:
            predictor = load(self._find(digest), self._device)
            predictor.self_test()
        except Unusable as error:
            raise Unfit(str(error)) from error
        bundle = predictor.bundle
        log.info(
            "%s (%s) serves on %s in %s; %s",
            bundle.name,
            digest[:SHORT],
            predictor.device,
            predictor.precision,
            "it has no golden clip" if bundle.golden is None else "its golden clip scores right",
        )
        while len(self._loaded) >= KEPT:
            del self._loaded[next(iter(self._loaded))]
        self._loaded[digest] = predictor

    def _find(self, digest: str) -> Bundle:
        for bundle in self._bundles():
            if bundle.digest == digest:
                return bundle
        raise UnknownModel(f"no model of digest {digest} in {self._shelf}")

    def _bundles(self) -> Iterator[Bundle]:
        for name in names(self._shelf):
            try:
                yield find_bundle(name, self._shelf)
            except BadBundle as error:
                # Another campaign's trouble, if anybody's.
                log.warning("left aside: %s", error)
