"""Clips in, one score per window out; the same score whatever else is in the batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from unmask.judgement import Calibration
from unmask.model import golden
from unmask.model.bundle import BadBundle, Bundle
from unmask.model.clips import PersonFrames, Window, check_size
from unmask.model.description import KINDS, Architecture, Judged, Opinion, Weights
from unmask.model.device import Precision, choose_device, choose_precision
from unmask.model.engine import Engine
from unmask.model.heat import HeatMap, Warmed, scaled
from unmask.model.loading import FrameLine
from unmask.model.looks import by_window, kind_of, looked_at
from unmask.model.margins import Margins, weighed
from unmask.model.memory import naming_lost_device
from unmask.model.network import Network
from unmask.model.unfilled import unfilled
from unmask.model.weights import read_state
from unmask.verdict import WindowScore

Deadline = Callable[[], None]
#: Another network, and how it is asked.
Asked = tuple[Opinion, Engine]


def load(
    bundle: Bundle, device: str | None = None, precision: Precision | None = None
) -> "Predictor":
    """The bundle's network, ready on a device; refuses a bundle whose weights don't fit."""
    place = choose_device(device)
    chosen = precision or choose_precision(place)

    said = bundle.description
    with naming_lost_device(place):
        return Predictor(
            bundle,
            Engine(build(bundle), said, place, chosen),
            [
                (opinion, Engine(network, said.seen_by(opinion), place, chosen))
                for opinion, network in build_others(bundle)
            ],
        )


def build(bundle: Bundle) -> Network:
    """The network in float32 on the CPU, as it was trained."""
    return _built(bundle, bundle.architecture, bundle.description.weights)


def build_others(bundle: Bundle) -> list[tuple[Opinion, Network]]:
    """Those that are asked too."""
    return [
        (opinion, _built(bundle, opinion.architecture, opinion.weights))
        for opinion in bundle.description.opinions
    ]


def _built(bundle: Bundle, architecture: Architecture, weights: Weights) -> Network:
    with unfilled():
        network = Network(architecture)
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    network.load_state_dict(read_state(bundle, weights, shapes), assign=True)
    return network.eval().requires_grad_(False)


class Predictor:
    """One model on one device. One thread uses it at a time."""

    def __init__(self, bundle: Bundle, engine: Engine, others: Sequence[Asked] = ()) -> None:
        self.bundle = bundle
        self._engine = engine
        self._others = others
        self._fake = 0 if bundle.description.classes == "fake,real" else 1

    @property
    def device(self) -> str:
        return str(self._engine.device)

    @property
    def precision(self) -> Precision:
        return self._engine.precision

    def score(
        self, clips: Sequence[PersonFrames], deadline: Deadline | None = None
    ) -> list[list[WindowScore]]:
        """Per person a score for each window, all in the order given.

        `deadline` is called between batches and stops the work by raising.
        """
        for person in clips:
            check_size(person, self.bundle.spec.size)
        said = self.bundle.description
        margins = iter(self._judged(clips, deadline))
        calibration = self.bundle.calibration
        return [
            [
                _score(person.person, window, found, calibration)
                for window, found in by_window(person, said, margins)
            ]
            for person in clips
        ]

    def margins(self, windows: Sequence[Window], deadline: Deadline | None = None) -> list[Margins]:
        """What the network itself says, before any softmax or calibration."""
        return self._margins(self._engine, windows, deadline)

    def _judged(self, clips: Sequence[PersonFrames], deadline: Deadline | None) -> list[Margins]:
        """Of all that `looked_at` gives; where another network is asked too, the mean of both."""
        said = self.bundle.description
        looks = [(each, kind_of(one)) for one in clips for each in looked_at(one, said)]
        found = self.margins([window for window, _ in looks], deadline)
        for kind in KINDS:
            places = [place for place, (_, its) in enumerate(looks) if its == kind]
            asked = [looks[place][0] for place in places]
            shares, others = zip(*self._networks(kind), strict=True)
            told = [self._margins(other, asked, deadline) for other in others[1:]]
            for place, *its in zip(places, *told, strict=True):
                found[place] = weighed(shares, [found[place], *its])
        return found

    def _margins(
        self, engine: Engine, windows: Sequence[Window], deadline: Deadline | None
    ) -> list[Margins]:
        if not windows:
            return []
        between = deadline or _no_deadline
        lengths = [len(window.frames) for window in windows]
        with naming_lost_device(engine.device), torch.inference_mode():
            features = engine.features(FrameLine([w.frames for w in windows]), between)
            scores = engine.score(torch.split_with_sizes(features, lengths), between)
            whole = self._margin(scores.logits)
            each = torch.split_with_sizes(torch.tensor(self._margin(scores.frame_logits)), lengths)
        return [
            Margins(window=window, frames=tuple(frames.tolist()))
            for window, frames in zip(whole, each, strict=True)
        ]

    def heat(
        self, wanted: Sequence[Warmed], deadline: Deadline | None = None
    ) -> list[list[HeatMap]]:
        """Grad-CAM for some frames of some windows: where the reasons for `fake` over `real` lie.

        Of all networks that are asked, each by how much its word counts. It costs what scoring
        those windows cost, and a little more.
        """
        found: dict[int, list[HeatMap]] = {}
        for kind in KINDS:
            places = [place for place, each in enumerate(wanted) if each.kind == kind]
            warmed = self._warmed(kind, [wanted[place] for place in places], deadline)
            found |= dict(zip(places, warmed, strict=True))
        return [found[place] for place in range(len(wanted))]

    def _warmed(
        self, kind: Judged, wanted: Sequence[Warmed], deadline: Deadline | None
    ) -> list[list[HeatMap]]:
        if not wanted:
            return []
        (share, own), *others = self._networks(kind)
        total = share * self._cams(own, wanted, deadline)
        for share, other in others:
            its = self._cams(other, wanted, deadline)[:, None]
            total += (
                share * functional.interpolate(its, size=total.shape[1:], mode="bilinear")[:, 0]
            )
        cams = iter(total.relu().cpu().numpy())
        return [[scaled(next(cams)) for _ in each.frames] for each in wanted]

    def _cams(self, engine: Engine, wanted: Sequence[Warmed], deadline: Deadline | None) -> Tensor:
        """(N, s, s) over all frames that are wanted; below zero what speaks for `real`."""
        between = deadline or _no_deadline
        whole = [each.window.frames for each in wanted]
        shown = [each.window.frames[list(each.frames)] for each in wanted]
        with naming_lost_device(engine.device), torch.no_grad():
            features = engine.features(FrameLine(whole), between)
            slopes = engine.reasons(
                torch.split_with_sizes(features, [len(each) for each in whole]), self._fake
            )
            own = [slope[list(each.frames)] for slope, each in zip(slopes, wanted, strict=True)]
            return torch.einsum(
                "nc,ncij->nij", torch.cat(own), engine.maps(FrameLine(shown), between)
            )

    def _networks(self, kind: Judged) -> list[tuple[float, Engine]]:
        """Who is asked about clips of a kind, and how much each counts; the first is our own."""
        own = self.bundle.description.own_share(kind)
        others = [(said.share, engine) for said, engine in self._others if kind in said.on]
        return [(own, self._engine), *others]

    def self_test(self) -> None:
        """Scores the bundle's golden clip; refuses to serve if this machine's answer differs."""
        known, others = self.bundle.golden, self.bundle.description.opinions
        if known is None:
            return
        wanted = [known.margin, *(opinion.golden_margin for opinion in others)]
        found = self.opinions(golden.read_clip(self.bundle, known))
        for own, right in zip(found, wanted, strict=True):
            self._check(own, right, known.tolerance)

    def opinions(self, clip: Window) -> list[float]:
        """What each network says of a window: the first, and then the others as they are named."""
        engines = [self._engine, *(engine for _, engine in self._others)]
        return [self._margins(engine, [clip], None)[0].window for engine in engines]

    def _check(self, found: float, wanted: float, tolerance: float) -> None:
        if not abs(found - wanted) <= tolerance:
            raise BadBundle(
                f"{self.bundle.name} on {self.device}: the golden clip scores {found:.4f}, "
                f"not {wanted:.4f} ± {tolerance}; this machine computes wrongly"
            )

    def _margin(self, logits: Tensor) -> list[float]:
        margins = logits[:, self._fake] - logits[:, 1 - self._fake]
        if not bool(margins.isfinite().all()):
            raise BadBundle(
                f"{self.bundle.name} on {self.device}: an answer of its network is no number; "
                "its weights can't be used"
            )
        found: list[float] = margins.tolist()
        return found


def _no_deadline() -> None:
    """There is time."""


def _score(
    person: int, window: Window, margins: Margins, calibration: Calibration | None
) -> WindowScore:
    raw = _softmax(margins.window)
    telling = max(range(len(margins.frames)), key=margins.frames.__getitem__)
    return WindowScore(
        person=person,
        window=window.number,
        start_s=window.times[0],
        end_s=window.times[-1],
        frames=len(window.times),
        raw=raw,
        probability=calibration.window(raw) if calibration else None,
        frame_scores=tuple(map(_softmax, margins.frames)),
        telling_s=window.times[telling],
        sharpness=window.sharpness,
    )


def _softmax(margin: float) -> float:
    """Of two logits that are this far apart."""
    return float(torch.tensor(margin, dtype=torch.float64).sigmoid())
