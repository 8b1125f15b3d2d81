"""Model bundles: are they whole, and which one is used when nobody names one?"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from producer.card import has_gpu
from producer.doctor.finding import Finding, bad, note, well
from unmask.model.bundle import BadBundle, Bundle, read_checked
from unmask.model.shelf import default_name, find_bundle, names

if TYPE_CHECKING:
    from settings import Settings

MEND = "fetch the folder again, or correct UNMASK_MODELS_DIR"


def check(settings: "Settings") -> Iterator[Finding]:
    shelf = settings.models_dir
    found = names(shelf)
    wanted = default_name(gpu=has_gpu(settings.device), shelf=shelf)
    for name in found:
        yield _bundle(name, shelf, is_default=name == wanted)
    if wanted not in found:
        yield bad("models", f"no `{wanted}` in {shelf.absolute()}, the model used by default", MEND)


def _bundle(name: str, shelf: Path, *, is_default: bool) -> Finding:
    what = f"model {name}"
    try:
        bundle = find_bundle(name, shelf)
        if importlib.util.find_spec("torch") is None and not _stored(bundle):
            says = "only described: its weights are not here, and without torch nothing reads them"
            return well(what, f"{says}; digest {bundle.digest[:12]}")
        _read_all(bundle)
    except BadBundle as error:
        return bad(what, str(error), MEND)
    says = f"whole, digest {bundle.digest[:12]}" + (", the default here" if is_default else "")
    if bundle.untrained:
        return note(what, f"{says}; untrained: every verdict will be `unsure`")
    return well(what, says)


def _stored(bundle: Bundle) -> list[Path]:
    """Weights that are there, whole or not."""
    return list(bundle.folder.glob("*.safetensors"))


def _read_all(bundle: Bundle) -> None:
    """Every file that the description names, against its hash."""
    said, golden = bundle.description, bundle.golden
    for weights in (said.weights, *(opinion.weights for opinion in said.opinions)):
        if weights.file and weights.sha256:
            read_checked(bundle, weights.file, weights.sha256)
    if golden:
        read_checked(bundle, golden.file, golden.sha256)
