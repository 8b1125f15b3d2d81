"""Face crops in WebDataset tars: `NAME.jpg` beside `NAME.json` with `label` and `group`.

They are decoded once into a file that processes map; nothing is extracted by its own name.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.media.coding import decode
from unmask.train.crops import BadData, Crops, Rgb

_PICTURES = (".jpg", ".jpeg", ".png")
_LABELS = {"fake": True, "real": False}
#: A larger member is no face crop.
_MAX_MEMBER = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Labelled:
    name: str
    picture: Rgb
    fake: bool
    group: str


def find_tars(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.tar"))
    if not found:
        raise BadData(f"no .tar with face crops in {folder}")
    return found


def load_crops(tars: Sequence[Path], cache: Path) -> Crops:
    """All crops of some tars; the decoded pictures stay in `cache` for the next time."""
    cache.mkdir(parents=True, exist_ok=True)
    pictures, labels = cache / f"{_key(tars)}.npy", cache / f"{_key(tars)}.json"
    if not labels.exists():
        _decode_all(tars, pictures, labels)
    said = json.loads(labels.read_text())
    return Crops(
        pictures=np.load(pictures, mmap_mode="r"),
        names=tuple(said["names"]),
        fake=np.array(said["fake"], dtype=np.bool_),
        groups=tuple(said["groups"]),
    )


def _key(tars: Sequence[Path]) -> str:
    """Changes when a tar does."""
    facts = [(path.name, path.stat().st_size) for path in tars]
    return "crops-" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _decode_all(tars: Sequence[Path], pictures: Path, labels: Path) -> None:
    found = [each for tar in tars for each in read_tar(tar)]
    sizes = {each.picture.shape for each in found}
    if len(sizes) != 1:
        raise BadData(f"face crops of one size are needed, not of {sorted(sizes)[:4]}")
    np.save(pictures, np.stack([each.picture for each in found]))
    said = {
        "names": [each.name for each in found],
        "fake": [each.fake for each in found],
        "groups": [each.group for each in found],
    }
    labels.write_text(json.dumps(said))


def read_tar(path: Path) -> Iterator[Labelled]:
    """In the order of the tar; a picture without a label, or the reverse, is an error."""
    waiting: dict[str, dict[str, bytes]] = {}
    for name, ending, data in _members(path):
        parts = waiting.setdefault(name, {})
        parts["label" if ending == ".json" else "picture"] = data
        if len(parts) == 2:
            yield _labelled(path, name, **waiting.pop(name))
    if waiting:
        lacking = ", ".join(sorted(waiting)[:3])
        raise BadData(f"{path}: {len(waiting)} entries lack a picture or a label: {lacking}")


def _members(path: Path) -> Iterable[tuple[str, str, bytes]]:
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name, ending = _split(member.name)
                if not member.isfile() or ending not in (*_PICTURES, ".json"):
                    continue
                if member.size > _MAX_MEMBER:
                    raise BadData(f"{path}: {member.name} is too large for a face crop")
                data = tar.extractfile(member)
                assert data is not None
                yield name, ending, data.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadData(f"{path} can't be read to its end: {error}; fetch it again") from error


def _split(name: str) -> tuple[str, str]:
    path = Path(name)
    return path.stem, path.suffix.lower()


def _labelled(path: Path, name: str, *, picture: bytes, label: bytes) -> Labelled:
    try:
        said = json.loads(label)
        fake, group = _LABELS[said["label"]], str(said["group"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadData(f"{path}: {name}.json needs `label` (fake or real) and `group`") from error
    pixels = decode(picture)
    if pixels is None:
        raise BadData(f"{path}: the picture of {name} can't be decoded")
    return Labelled(name=name, picture=pixels, fake=fake, group=group)
