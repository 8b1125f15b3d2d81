"""Where the detectors' weights lie: inside the packages that ship them."""

from importlib.util import find_spec
from pathlib import Path

from unmask.errors import Unusable


def shipped(package: str, *names: str) -> Path:
    """A data file of a package, found without running the package's code."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise Unusable(f"the package `{package}`, which carries {names[-1]}, is not installed")
    path = Path(found.submodule_search_locations[0], *names)
    if not path.is_file():
        raise Unusable(f"the package `{package}` lacks {'/'.join(names)}")
    return path
