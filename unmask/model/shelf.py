"""Where bundles stand, and which one is used when nobody names one."""

from pathlib import Path

from unmask.model.bundle import DESCRIPTION_FILE, BadBundle, Bundle, open_bundle

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
    """A model that was never trained is nobody's default while a trained one is there."""
    if gpu and DEFAULT_ON_GPU in names(shelf) and not _untrained(DEFAULT_ON_GPU, shelf):
        return DEFAULT_ON_GPU
    return DEFAULT_ON_CPU


def _untrained(name: str, shelf: Path) -> bool:
    return find_bundle(name, shelf).description.untrained
