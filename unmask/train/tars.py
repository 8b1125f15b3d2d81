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
#: A tar ends with so many zeros at least.
_END_MARK = 1024


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


def has_tars(data: Path) -> bool:
    return data.is_dir() and any(data.glob("*.tar"))


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
    """Changes when a tar does: a label that was mended leaves a tar as long as it was."""
    facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in tars]
    return "crops-" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _decode_all(tars: Sequence[Path], pictures: Path, labels: Path) -> None:
    found = [each for tar in tars for each in read_tar(tar)]
    sizes = {each.picture.shape for each in found}
    if len(sizes) != 1:
        raise BadData(f"face crops of one size are needed, not of {sorted(sizes)[:4]}")
    with pictures.with_suffix(".part").open("wb") as file:
        np.save(file, np.stack([each.picture for each in found]))
    pictures.with_suffix(".part").replace(pictures)
    said = {
        "names": [each.name for each in found],
        "fake": [each.fake for each in found],
        "groups": [each.group for each in found],
    }
    labels.with_suffix(".part").write_text(json.dumps(said))
    labels.with_suffix(".part").replace(labels)


def read_tar(path: Path) -> Iterator[Labelled]:
    """In the order of the tar; a picture without a label, or the reverse, is an error."""
    waiting: dict[str, dict[str, bytes]] = {}
    for name, ending, data in _members(path):
        parts, kind = waiting.setdefault(name, {}), "label" if ending == ".json" else "picture"
        if kind in parts:
            raise BadData(f"{path}: {name} has two entries with a {kind}")
        parts[kind] = data
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
        _need_end(path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadData(f"{path} can't be read to its end: {error}; fetch it again") from error


def _need_end(path: Path) -> None:
    """What was cut off between two entries reads like a smaller tar, but lacks its end mark."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_MARK))
        if file.read() != bytes(_END_MARK):
            raise BadData(f"{path} has no end mark, as if it was cut off; fetch it again")


def _split(name: str) -> tuple[str, str]:
    """`a/x` and `.jpg`: entries of two folders may have the same name."""
    path = Path(name)
    return path.with_suffix("").as_posix(), path.suffix.lower()


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
