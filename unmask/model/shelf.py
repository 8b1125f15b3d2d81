"""Where bundles stand, and which one is used when nobody names one."""

from pathlib import Path

from unmask.model.bundle import DESCRIPTION_FILE, BadBundle, Bundle, open_bundle
from unmask.model.description import MEASURED, Description

#: Beside the package in a checkout or an image; a wheel carries no weights.
SHELF = Path(__file__).resolve().parents[2] / "models"

#: The light model keeps up on a CPU; the large one wants a GPU.
DEFAULT_ON_CPU = "lite"
DEFAULT_ON_GPU = "resnext50-lstm"


def names(shelf: Path = SHELF) -> list[str]:
    return sorted(found.parent.name for found in shelf.glob(f"*/{DESCRIPTION_FILE}"))


def find_bundle(model: str, shelf: Path = SHELF) -> Bundle:
    """By the name of a shipped bundle, or by folder."""
    for folder in (shelf / model, Path(model)):
        if (folder / DESCRIPTION_FILE).is_file():
            return open_bundle(folder)
    known = ", ".join(names(shelf)) or "none"
    raise BadBundle(
        f"no model `{model}`: neither a folder with {DESCRIPTION_FILE} nor one of: {known}"
    )


def default_name(*, gpu: bool, shelf: Path = SHELF) -> str:
    """A model that was never trained, or is known to judge worse, is nobody's default."""
    if not gpu or DEFAULT_ON_GPU not in names(shelf):
        return DEFAULT_ON_CPU
    large = find_bundle(DEFAULT_ON_GPU, shelf).description
    if large.untrained or _is_worse(large, find_bundle(DEFAULT_ON_CPU, shelf).description):
        return DEFAULT_ON_CPU
    return DEFAULT_ON_GPU


def _is_worse(one: Description, other: Description) -> bool:
    """As far as both were measured on held-out groups when they were trained."""
    found = [(said.quality or {}).get(MEASURED) for said in (one, other)]
    mine, others = (value if isinstance(value, float) else None for value in found)
    return mine is not None and others is not None and mine < others
