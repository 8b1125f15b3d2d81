"""A model is a folder: weights and one `model.json` that says how to use them. No torch here."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from unmask.errors import Unusable
from unmask.judgement import Calibration, Judgement, Thresholds
from unmask.model.description import Architecture, Description, Golden
from unmask.spec import ScanSpec

#: A field of before.
_SECOND = "second_opinion"
DESCRIPTION_FILE = "model.json"
#: A description is a page of text; anything larger is something else.
MAX_DESCRIPTION_BYTES = 1 << 20

_READER = TypeAdapter(Description)


class BadBundle(Unusable):
    """A model folder that can't be trusted; the message says what is wrong in it."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An opened model folder. Its weights are read, and their hash checked, when it is loaded."""

    folder: Path
    #: sha256 of `model.json`, which itself names the sha256 of the weights.
    digest: str
    description: Description

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def architecture(self) -> Architecture:
        return self.description.architecture

    @property
    def spec(self) -> ScanSpec:
        return self.description.spec

    @property
    def untrained(self) -> bool:
        return self.description.untrained

    @property
    def calibration(self) -> Calibration | None:
        return self.description.calibration

    @property
    def thresholds(self) -> Thresholds | None:
        return self.description.thresholds

    @property
    def golden(self) -> Golden | None:
        return self.description.golden

    @property
    def judgement(self) -> Judgement:
        """What `unmask.verdict.judge` needs to know about this model."""
        said = self.description
        return Judgement(
            untrained=said.untrained,
            calibration=said.calibration,
            thresholds=said.thresholds,
            rule=said.rule,
            least_sharpness=said.least_sharpness,
        )

    def spec_for(
        self, frames: int | None = None, first: bool = False, stride: int | None = None
    ) -> ScanSpec:
        """This model's scan spec under a campaign's options."""
        return self.spec.with_options(frames=frames, first=first, stride=stride)


def open_bundle(folder: Path) -> Bundle:
    """Reads `model.json` strictly: whatever is missing, unknown or odd is refused by name."""
    raw = _read(folder / DESCRIPTION_FILE)
    digest = hashlib.sha256(raw).hexdigest()
    return Bundle(folder=folder, digest=digest, description=_parse(raw, folder))


def read_checked(bundle: Bundle, file: str, sha256: str) -> bytes:
    """A file of the bundle, if it is the one its description means."""
    try:
        data = (bundle.folder / file).read_bytes()
    except OSError as error:
        raise BadBundle(f"{bundle.folder}: `{file}` can't be read: {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise BadBundle(
            f"{bundle.folder}: `{file}` has digest {found[:12]}…, {DESCRIPTION_FILE} names "
            f"{sha256[:12]}…; fetch the bundle again"
        )
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_DESCRIPTION_BYTES + 1)
    except OSError as error:
        raise BadBundle(f"no model in {path.parent}: {path.name}: {error.strerror}") from error
    if len(raw) > MAX_DESCRIPTION_BYTES:
        raise BadBundle(f"{path}: larger than {MAX_DESCRIPTION_BYTES} bytes, so no description")
    return raw


def _as_of_today(raw: bytes) -> bytes:
    """Before, a bundle named one further network at most, which was asked about pictures.

    What is none of the kind is refused by name as it stands.
    """
    if _SECOND.encode() not in raw or b'"opinions"' in raw:
        return raw
    try:
        said = json.loads(raw)
        second = said.pop(_SECOND)
        own = said.get("colours", "rgb")
        said["opinions"] = [second | {"on": ["pictures"], "colours": own}] if second else []
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return raw
    return json.dumps(said).encode()


def _parse(raw: bytes, folder: Path) -> Description:
    try:
        return _READER.validate_json(_as_of_today(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadBundle(f"{folder / DESCRIPTION_FILE}: {where}: {first['msg']}") from error
    except Unusable as error:
        raise BadBundle(f"{folder / DESCRIPTION_FILE}: {error}") from error
