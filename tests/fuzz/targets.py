"""One fuzz target in a process of its own: `python -m tests.fuzz.targets probe|manifest SECONDS`.

libFuzzer, through atheris, looks for inputs that raise what the code does not promise.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["unmask"]):
    from unmask.errors import Refused
    from unmask.media.budget import Budget
    from unmask.media.manifest import BadManifest, read_manifest
    from unmask.media.source import opened
    from unmask.media.values import Limits

LARGEST = 64 << 10
LIMITS = Limits(max_bytes=LARGEST, max_pixels=1 << 20, deadline_s=5)


def probe(data: bytes) -> None:
    """Opening a file and reading what it says of itself."""
    try:
        with opened(io.BytesIO(data), Budget(LIMITS)) as source:
            assert source.info.width > 0
    except Refused:
        return


def manifest(data: bytes) -> None:
    try:
        found = read_manifest(data)
    except BadManifest:
        return
    assert read_manifest(found.to_bytes()) == found


TARGETS: dict[str, Callable[[bytes], None]] = {"probe": probe, "manifest": manifest}


def main() -> None:
    name, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="unmask-fuzz-") as folder:
        corpus, here = _corpus(name, Path(folder)), Path(folder) / "found"
        here.mkdir()
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LARGEST}",
            f"-artifact_prefix={here}/",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-seed=1",
            "-verbosity=0",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[name])
        atheris.Fuzz()


def _corpus(name: str, folder: Path) -> Path:
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(_good(name)):
        (corpus / str(number)).write_bytes(data)
    return corpus


def _good(name: str) -> list[bytes]:
    from tests.fuzz.seeds import seeds

    if name == "probe":
        return list(seeds().values())
    from infra.sandbox import Room
    from tests.fuzz.look import SPEC
    from unmask.media.values import Manifest

    with Room() as room, tempfile.TemporaryFile() as file:
        file.write(seeds()["mp4"])
        file.flush()
        pieces = list(room.extract(file, SPEC, Limits()))
    return [one.to_bytes() for one in pieces if isinstance(one, Manifest)]


if __name__ == "__main__":
    main()
