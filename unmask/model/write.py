"""Writes a bundle: weights, golden clip and description, all at once or not at all."""

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter
from torch import Tensor

from unmask.errors import Unusable
from unmask.model import golden
from unmask.model.bundle import DESCRIPTION_FILE, Bundle, open_bundle
from unmask.model.description import Description, Golden, SecondOpinion, Weights
from unmask.model.predict import build, load
from unmask.model.weights import StoredEncoding, encode

WEIGHTS_FILE = "weights.safetensors"
SECOND_FILE = "second.safetensors"
GOLDEN_FILE = "golden.png"

#: How far another machine, or bf16, may be off the golden margin: of its size, and at least.
_RELATIVE = 0.05
_LEAST = 0.05

_WRITER = TypeAdapter(Description)


class Second(NamedTuple):
    """The weights of a second opinion, and how they are stored."""

    state: Mapping[str, Tensor]
    encoding: StoredEncoding


def write_bundle(
    folder: Path,
    description: Description,
    state: Mapping[str, Tensor],
    encoding: StoredEncoding,
    second: Second | None = None,
) -> Bundle:
    """`description` says everything but weights and golden clip, which are filled in here.

    `second` is for a description with a second opinion.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Unusable(f"{folder} is not empty; name a folder that is new")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as scratch:
        draft = Path(scratch) / "bundle"
        draft.mkdir()
        said = dataclasses.replace(
            description, weights=_write_weights(draft / WEIGHTS_FILE, state, encoding)
        )
        if said.second_opinion and second:
            weights = _write_weights(draft / SECOND_FILE, second.state, second.encoding)
            asked = dataclasses.replace(said.second_opinion, weights=weights)
            said = dataclasses.replace(said, second_opinion=asked)
        write_description(draft, said)
        add_golden(open_bundle(draft))
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    return open_bundle(folder)


def add_golden(bundle: Bundle) -> None:
    """Draws the golden clip, and writes down how this machine scores it in float32."""
    said = bundle.description
    png = golden.encode_clip(golden.drawn_clip(size=said.spec.size))
    (bundle.folder / GOLDEN_FILE).write_bytes(png)
    known = Golden(file=GOLDEN_FILE, sha256=_sha256(png), margin=0.0, tolerance=_LEAST)
    clip = golden.read_clip(bundle, known)
    predictor = load(bundle, "cpu", "fp32")
    margin, *second = predictor.opinions(clip)
    tolerance = round(max(_LEAST, _RELATIVE * max(map(abs, (margin, *second)))), 4)
    known = dataclasses.replace(known, margin=round(margin, 5), tolerance=tolerance)
    asked = said.second_opinion
    if asked:
        asked = dataclasses.replace(asked, golden_margin=round(second[0], 5))
    write_description(bundle.folder, dataclasses.replace(said, golden=known, second_opinion=asked))


def write_description(folder: Path, description: Description) -> None:
    fields = _WRITER.dump_python(description, mode="json")
    text = json.dumps(fields, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def with_second(
    target: Path, first: Bundle, other: Bundle, *, share: float, encoding: StoredEncoding
) -> Bundle:
    """`first`, which asks `other` about pictures: a new model, so without calibration.

    The weights of `first` stay stored as they are; `encoding` is for the other's.
    """
    if (first.spec.size, _pixels(first)) != (other.spec.size, _pixels(other)):
        raise Unusable(f"{other.name} sees pixels otherwise than {first.name}: no second opinion")
    asked = SecondOpinion(
        architecture=other.architecture,
        weights=other.description.weights,
        share=share,
        golden_margin=0.0,  # until it is asked about the golden clip
    )
    said = dataclasses.replace(
        first.description, second_opinion=asked, calibration=None, thresholds=None
    )
    own = first.description.weights.encoding
    return write_bundle(
        target,
        said,
        build(first).state_dict(),
        "fp32" if own == "seeded" else own,
        Second(build(other).state_dict(), encoding),
    )


def _pixels(bundle: Bundle) -> tuple[object, ...]:
    said = bundle.description
    return said.classes, said.colours, said.mean, said.deviation


def _write_weights(path: Path, state: Mapping[str, Tensor], encoding: StoredEncoding) -> Weights:
    raw = encode(state, encoding)
    path.write_bytes(raw)
    return Weights(encoding=encoding, file=path.name, sha256=_sha256(raw))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
