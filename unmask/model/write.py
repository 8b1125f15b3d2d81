"""Writes a bundle: weights, golden clip and description, all at once or not at all."""

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter
from torch import Tensor

from unmask.errors import Unusable
from unmask.model import golden
from unmask.model.bundle import DESCRIPTION_FILE, Bundle, open_bundle
from unmask.model.description import Description, Golden, Weights
from unmask.model.predict import load
from unmask.model.weights import StoredEncoding, encode

WEIGHTS_FILE = "weights.safetensors"
GOLDEN_FILE = "golden.png"

#: How far another machine, or bf16, may be off the golden margin: of its size, and at least.
_RELATIVE = 0.05
_LEAST = 0.05

_WRITER = TypeAdapter(Description)


def write_bundle(
    folder: Path,
    description: Description,
    state: Mapping[str, Tensor],
    encoding: StoredEncoding,
) -> Bundle:
    """`description` says everything but weights and golden clip, which are filled in here."""
    if folder.exists() and any(folder.iterdir()):
        raise Unusable(f"{folder} is not empty; name a folder that is new")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as scratch:
        draft = Path(scratch) / "bundle"
        draft.mkdir()
        _write_weights(draft, description, state, encoding)
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
    margin = load(bundle, "cpu", "fp32").margins([clip])[0].window
    tolerance = round(max(_LEAST, _RELATIVE * abs(margin)), 4)
    known = dataclasses.replace(known, margin=round(margin, 5), tolerance=tolerance)
    write_description(bundle.folder, dataclasses.replace(said, golden=known))


def write_description(folder: Path, description: Description) -> None:
    fields = _WRITER.dump_python(description, mode="json")
    text = json.dumps(fields, indent=2, ensure_ascii=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def _write_weights(
    folder: Path,
    description: Description,
    state: Mapping[str, Tensor],
    encoding: StoredEncoding,
) -> None:
    raw = encode(state, encoding)
    (folder / WEIGHTS_FILE).write_bytes(raw)
    weights = Weights(encoding=encoding, file=WEIGHTS_FILE, sha256=_sha256(raw))
    write_description(folder, dataclasses.replace(description, weights=weights))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
