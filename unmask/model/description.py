"""What a `model.json` says, field by field. Reading it needs no torch."""

import dataclasses
from typing import Annotated, Literal, get_args

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from unmask.judgement import STRICT, Calibration, Rule, Thresholds
from unmask.spec import ScanSpec

FORMAT = 1
#: What training writes into `quality`.
MEASURED = "test groups, auc"

Trunk = Literal[
    "resnext50_32x4d",
    "mobilenet_v2",
    "efficientnet_lite0",
    "efficientnet_b4",
    "multi_attention_b4",
    "compact",
]
#: `grey`: the network sees light alone, three times.
Colours = Literal["rgb", "bgr", "grey"]
#: A picture is one frame alone; whatever has more of them is a film.
Judged = Literal["pictures", "films"]
KINDS: tuple[Judged, ...] = get_args(Judged)
Encoding = Literal["fp32", "bf16", "int8", "seeded"]
Triple = tuple[float, float, float]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: What a model may be called.
NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
#: A file lies in the bundle's own folder, under a plain name.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Architecture:
    """Trunk → LSTM → pooling → linear; enough to build the network."""

    trunk: Trunk
    #: Width of the LSTM's hidden state.
    width: Annotated[int, Field(ge=1, le=16384)]
    #: `time` runs over a window's frames. `frame` starts anew at every frame: that is what the
    #: public checkpoints of this family really compute at batch 1.
    recurrence: Literal["time", "frame"] = "time"
    pooling: Literal["last", "mean", "attention"] = "mean"
    lstm_bias: bool = True
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4
    #: A spatial transformer stands behind this block of the trunk, counted from 1.
    transformer_after: Annotated[int, Field(ge=1)] | None = None

    def __post_init__(self) -> None:
        if self.transformer_after is not None and self.trunk == "multi_attention_b4":
            raise ValueError("a spatial transformer goes into a plain trunk")

    @property
    def mode(self) -> str:
        """`temporal`, or for old weights `origin-last` and `origin-mean`."""
        return "temporal" if self.recurrence == "time" else f"origin-{self.pooling}"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Weights:
    """Where the numbers are: a safetensors file, or a seed that stands for them."""

    encoding: Encoding
    file: FileName | None = None
    sha256: Sha256 | None = None
    seed: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        stored = self.file is not None and self.sha256 is not None and self.seed is None
        seeded = self.file is None and self.sha256 is None and self.seed is not None
        if not (seeded if self.encoding == "seeded" else stored):
            raise ValueError("`seeded` weights have a seed; all others have a file and its sha256")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Golden:
    """A clip with a known answer: a strip of frames, one under the other, as PNG."""

    file: FileName
    sha256: Sha256
    #: Logit of fake minus logit of real, and how far a machine may be off.
    margin: float
    tolerance: Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Look:
    """Another look at the same crop."""

    mirrored: bool = False
    #: How much of the crop's side is cut away at each edge.
    closer: Annotated[float, Field(ge=0, le=0.2)] = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Opinion:
    """Another network that judges some of the clips too, its answers in the same order."""

    on: Annotated[tuple[Judged, ...], Field(min_length=1)]
    architecture: Architecture
    weights: Weights
    #: What it sees of them.
    colours: Colours = "rgb"
    #: How much its margins count; the first network's count what others leave.
    share: Annotated[float, Field(gt=0, lt=1)]
    #: What it says of the golden clip.
    golden_margin: float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Training:
    """Where the weights come from."""

    data: tuple[str, ...]
    recipe: str
    terms: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Description:
    """One bundle, said completely."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=NAME)]
    about: str
    untrained: bool
    architecture: Architecture
    weights: Weights
    #: Order of the network's two answers.
    classes: Literal["fake,real", "real,fake"] = "fake,real"
    colours: Colours = "rgb"
    #: Per channel in the order of `colours`, of pixels in [0, 1].
    mean: Triple = (0.485, 0.456, 0.406)
    deviation: Triple = (0.229, 0.224, 0.225)
    spec: ScanSpec
    calibration: Calibration | None = None
    thresholds: Thresholds | None = None
    rule: Rule = Rule()
    #: Faces below this were hardly learned from; nobody is called fake for them.
    least_sharpness: Annotated[float, Field(ge=0)] = 0.0
    #: How a picture is looked at besides as it is; its score is the mean.
    looks: tuple[Look, ...] = ()
    #: A mean of several is nearer to the middle than any; this times it is as far out as a film's.
    looks_gain: Annotated[float, Field(gt=0)] = 1.0
    #: The same where several networks judge a film.
    films_gain: Annotated[float, Field(gt=0)] = 1.0
    #: Who is asked besides the network itself.
    opinions: tuple[Opinion, ...] = ()
    golden: Golden | None = None
    training: Training | None = None
    #: What was measured, under names of the measurer's choice.
    quality: dict[str, JsonValue] | None = None

    def __post_init__(self) -> None:
        if self.untrained and (self.calibration or self.thresholds):
            raise ValueError("an untrained model has neither calibration nor thresholds")
        if self.thresholds and not self.calibration:
            raise ValueError("thresholds mean nothing without a calibration")
        if min(self.deviation) <= 0:
            raise ValueError("`deviation` must be positive")
        if any(self.own_share(kind) <= 0 for kind in KINDS):
            raise ValueError("`opinions` leave the network itself no word")

    def own_share(self, kind: Judged) -> float:
        """How much the network itself counts."""
        return 1 - sum(opinion.share for opinion in self.opinions if kind in opinion.on)

    def seen_by(self, opinion: Opinion) -> "Description":
        """As that network sees clips."""
        return dataclasses.replace(self, colours=opinion.colours)
