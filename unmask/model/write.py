"""Writes a bundle: weights, golden clip and description, all at once or not at all."""

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter
from torch import Tensor

from unmask.errors import Unusable
from unmask.model import golden
from unmask.model.bundle import DESCRIPTION_FILE, Bundle, open_bundle
from unmask.model.description import Description, Golden, Judged, Opinion, Weights
from unmask.model.predict import build, build_others, load
from unmask.model.weights import StoredEncoding, encode

WEIGHTS_FILE = "weights.safetensors"
#: The weights of other networks, counted from 1.
OPINION_FILE = "opinion-{}.safetensors"
GOLDEN_FILE = "golden.png"

#: How far another machine, or bf16, may be off the golden margin: of its size, and at least.
_RELATIVE = 0.05
_LEAST = 0.05
#: Sums of shares are as exact as that.
_NO_WORD = 1e-6

_WRITER = TypeAdapter(Description)


class Stored(NamedTuple):
    """The weights of another network, and how they are stored."""

    state: Mapping[str, Tensor]
    encoding: StoredEncoding


def write_bundle(
    folder: Path,
    description: Description,
    state: Mapping[str, Tensor],
    encoding: StoredEncoding,
    others: Sequence[Stored] = (),
) -> Bundle:
    """`description` says everything but weights and golden clip, which are filled in here.

    `others` are the weights of the opinions that the description names.
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
        opinions = tuple(
            _stored(draft / OPINION_FILE.format(number), opinion, its)
            for number, (opinion, its) in enumerate(zip(said.opinions, others, strict=True), 1)
        )
        said = dataclasses.replace(said, opinions=opinions)
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
    margin, *others = predictor.opinions(clip)
    tolerance = round(max(_LEAST, _RELATIVE * max(map(abs, (margin, *others)))), 4)
    known = dataclasses.replace(known, margin=round(margin, 5), tolerance=tolerance)
    opinions = tuple(
        dataclasses.replace(opinion, golden_margin=round(its, 5))
        for opinion, its in zip(said.opinions, others, strict=True)
    )
    write_description(bundle.folder, dataclasses.replace(said, golden=known, opinions=opinions))


def write_description(folder: Path, description: Description) -> None:
    fields = _WRITER.dump_python(description, mode="json")
    text = json.dumps(fields, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def with_opinion(
    target: Path,
    first: Bundle,
    other: Bundle,
    *,
    on: Sequence[Judged],
    share: float,
    encoding: StoredEncoding,
) -> Bundle:
    """`first`, which asks `other` too, and whom else it asked: a new model, so without calibration.

    What is stored of `first` stays as it is; `encoding` is for the other's weights.
    """
    if (first.spec.size, _pixels(first)) != (other.spec.size, _pixels(other)):
        raise Unusable(f"{other.name} sees pixels otherwise than {first.name}: it can't be asked")
    _need_a_word(first, on, share)
    asked = Opinion(
        on=tuple(on),
        architecture=other.architecture,
        weights=other.description.weights,
        colours=other.description.colours,
        share=share,
        golden_margin=0.0,  # until it is asked about the golden clip
    )
    said = dataclasses.replace(
        first.description,
        opinions=(*first.description.opinions, asked),
        calibration=None,
        thresholds=None,
    )
    others = [*stored_others(first), Stored(build(other).state_dict(), encoding)]
    own = storable(first.description.weights)
    return write_bundle(target, said, build(first).state_dict(), own, others)


def _need_a_word(first: Bundle, on: Sequence[Judged], share: float) -> None:
    for kind in on:
        left = first.description.own_share(kind)
        if share >= left - _NO_WORD:
            raise Unusable(
                f"of {kind} {first.name} itself has {left:.0%} of the word beside the others; "
                f"--share must be smaller than that, not {share:.0%}"
            )


def stored_others(bundle: Bundle, encoding: StoredEncoding | None = None) -> list[Stored]:
    """The weights of those that a bundle asks, as they are stored there or otherwise."""
    return [
        Stored(network.state_dict(), encoding or storable(opinion.weights))
        for opinion, network in build_others(bundle)
    ]


def storable(weights: Weights) -> StoredEncoding:
    """What stands for a seed alone is stored in full."""
    return "fp32" if weights.encoding == "seeded" else weights.encoding


def _pixels(bundle: Bundle) -> tuple[object, ...]:
    said = bundle.description
    return said.classes, said.mean, said.deviation


def _stored(path: Path, opinion: Opinion, its: Stored) -> Opinion:
    weights = _write_weights(path, its.state, its.encoding)
    return dataclasses.replace(opinion, weights=weights)


def _write_weights(path: Path, state: Mapping[str, Tensor], encoding: StoredEncoding) -> Weights:
    raw = encode(state, encoding)
    path.write_bytes(raw)
    return Weights(encoding=encoding, file=path.name, sha256=_sha256(raw))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
