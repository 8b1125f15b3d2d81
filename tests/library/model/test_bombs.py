"""Checkpoints made to eat the process: each ends in one sentence, and costs next to nothing."""

import io
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from unmask.model.checkpoint import MAX_CONTENTS_BYTES, read_checkpoint
from unmask.model.unpickle import UnsafeFile

#: Beyond what Python and torch themselves take.
MEMORY = 256 << 20
STACK = 1 << 20
#: Reads the files that are named, and prints what is said of each.
READER = f"""
import resource, sys
from pathlib import Path
from unmask.model.checkpoint import read_checkpoint
from unmask.model.unpickle import UnsafeFile
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + {MEMORY},) * 2)
for name in sys.argv[1:]:
    try:
        print(len(read_checkpoint(Path(name))), "tensors")
    except UnsafeFile as error:
        print(error)
"""

_DEEP = 400_000
_TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
_FLOATS = b"ctorch\nFloatStorage\n"


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _storage(key: str, count: int) -> bytes:
    """A reference to numbers of the zip."""
    whole = b"J" + struct.pack("<i", count)
    return b"(" + _text("storage") + _FLOATS + _text(key) + _text("cpu") + whole + b"tQ"


def _tensor(numbers: bytes, size: bytes, stride: bytes) -> bytes:
    return _TENSOR + b"(" + numbers + b"K\x00" + size + stride + b"tR"


def _zip(path: Path, table: bytes, **numbers: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + table)
        for key, raw in numbers.items():
            archive.writestr(f"a/data/{key}", raw)


#: What nests, beside the word that its refusal holds.
TABLES: dict[str, tuple[bytes, str]] = {
    "a key of two million tuples": (b"}()" + b"\x85" * 2_000_000 + b"Nu.", "instructions"),
    "a key of many tuples": (b"})" + b"\x85" * _DEEP + b"Ns.", "names on its left"),
    "a key of tuples that double": (b"})" + b"q\x00h\x00\x86" * 60 + b"Ns.", "names on its left"),
    "a value of many tuples": (b"}" + _text("a") + b")" + b"\x85" * _DEEP + b"s.", "no tensor"),
    "a value of many lists": (
        b"}" + _text("a") + b"]" * 200_000 + b"a" * 199_999 + b"s.",
        "no tensor",
    ),
    "tables in tables": (
        b"}" + (_text("a") + b"}") * 60_000 + b"s" * 60_000 + b".",
        "no tensor",
    ),
    "a list in itself": (b"}" + _text("a") + b"]q\x00h\x00as.", "no tensor"),
    "a reference of many tuples": (b")" + b"\x85" * _DEEP + b"Q.", "reference in it is odd"),
    "a reference of tuples that double": (
        b")" + b"q\x00h\x00\x86" * 60 + b"Q.",
        "reference in it is odd",
    ),
    "a shape of many tuples": (
        _tensor(_storage("0", 1), b")" + b"\x85" * _DEEP, b")") + b".",
        "odd shape",
    ),
    "a shape of many sides": (
        _tensor(_storage("0", 1), b"(" + b"K\x01" * 200_000 + b"t", b")") + b".",
        "odd shape",
    ),
    "a table made of a list": (
        b"ccollections\nOrderedDict\n]q\x00h\x00a\x85R.",
        "can't be read",
    ),
    "a changed function": (_TENSOR + b"N}" + _text("__defaults__") + b")s\x86b.", "no table"),
    "a number of gigabytes": (b"\x8b\xff\xff\xff\x7f.", "LONG4"),
    "a name of gigabytes": (b"X\xff\xff\xff\xff.", "4,294,967,295 bytes"),
    "a far place": (b"Nr\xff\xff\xff\xff.", "no table"),
    "values that are not there": (b"(\x87.", "lacks its values"),
    "a mark that is not there": (b"Nt.", "lacks its mark"),
    "a place that is empty": (b"h\x00.", "never kept"),
    "what is no text": (b"X\x01\x00\x00\x00\xff.", "can't be read"),
}


def _read_apart(*paths: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", READER, *map(str, paths)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK)),
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done.stdout.splitlines()


def test_nesting_and_size_are_refused_in_words(tmp_path: Path) -> None:
    """All in one process with little memory and a short stack, which must live through them."""
    one = torch.zeros(1).numpy().tobytes()
    paths = [tmp_path / f"{number}.pt" for number in range(len(TABLES))]
    for path, (table, _) in zip(paths, TABLES.values(), strict=True):
        _zip(path, table, **{"0": one})
    told = _read_apart(*paths)
    for (kind, (_, word)), path, line in zip(TABLES.items(), paths, told, strict=True):
        assert line.startswith(f"{path} is refused: "), kind
        assert word in line, kind
        assert len(line) < 300 + len(str(path)), kind


def test_the_same_nesting_in_the_stream_layout_is_refused(tmp_path: Path) -> None:
    """There the table of contents is a pickle too, and the numbers' keys are a list."""
    path = tmp_path / "old.pt"
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    keys = whole.rindex(b"\x80\x02]")
    told = []
    for name, odd in {
        "key": b"\x80\x02}" + b")" + b"\x85" * _DEEP + b"Ns.",
        "keys": whole[:keys] + b"\x80\x02]" + b")" + b"\x85" * _DEEP + b"a.",
        "count": whole[: keys + 3] + whole[keys + 3 :].replace(b"\x03" + b"\0" * 7, b"\xff" * 8),
    }.items():
        path = tmp_path / f"{name}.pt"
        path.write_bytes(odd)
        told += _read_apart(path)
    assert "names on its left" in told[0]
    assert "list of numbers is none" in told[1]
    assert "lengths disagree" in told[2]


def test_tensors_that_name_the_same_numbers_share_them(tmp_path: Path) -> None:
    """Two hundred over 20 MB each would take 4 GB; the limit here is far below."""
    count = 5 << 20
    one = _tensor(_storage("0", count), b"J" + struct.pack("<i", count) + b"\x85", b"K\x01\x85")
    names = b"".join(_text(f"t{number}") + one for number in range(200))
    _zip(tmp_path / "many.pt", b"}(" + names + b"u.", **{"0": bytes(4 * count)})
    assert _read_apart(tmp_path / "many.pt") == ["200 tensors"]


def test_tied_tensors_stay_tied_and_as_they_were(tmp_path: Path) -> None:
    first = torch.arange(6.0)
    state = {"a": first, "b": first[2:], "c": first.view(2, 3).t()}
    for zipped in (True, False):
        path = tmp_path / f"{zipped}.pt"
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        found = read_checkpoint(path)
        assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
        assert len({tensor.untyped_storage().data_ptr() for tensor in found.values()}) == 1


@pytest.mark.parametrize("other", ["another count", "another type"])
def test_references_to_the_same_numbers_must_agree(tmp_path: Path, other: str) -> None:
    flat, step = b"K\x02\x85", b"K\x01\x85"
    first = _storage("0", 2)
    second = {
        "another count": _storage("0", 3),
        "another type": first.replace(b"Float", b"Int"),
    }[other]
    table = _text("a") + _tensor(first, flat, step) + _text("b") + _tensor(second, flat, step)
    _zip(tmp_path / "odd.pt", b"}(" + table + b"u.", **{"0": bytes(8)})
    with pytest.raises(UnsafeFile, match="disagree"):
        read_checkpoint(tmp_path / "odd.pt")


def _overlapping(path: Path) -> None:
    """The second part's name leads into the middle of the first, where its header stands too."""
    inner = io.BytesIO()
    _zip_of(inner, "a/data/1", bytes(4 << 20))
    header = inner.getvalue()[: inner.getvalue().index(b"PK\x01\x02")]
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.writestr("a/data/0", header)
        at = archive.getinfo("a/data/0").header_offset + 30 + len("a/data/0")
        again = zipfile.ZipInfo("a/data/1", (1980, 1, 1, 0, 0, 0))
        known = zipfile.ZipFile(inner).getinfo("a/data/1")
        again.header_offset, again.CRC = at, known.CRC
        again.file_size = again.compress_size = known.file_size
        archive.filelist.append(again)
        archive.NameToInfo[again.filename] = again
        archive._didModify = True  # type: ignore[attr-defined]
    path.write_bytes(whole.getvalue())


def _zip_of(file: io.BytesIO, name: str, raw: bytes) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), raw)


def _compressed(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.writestr("a/data/0", bytes(64 << 20))


def _crowded(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.comment = b""
        name = "x" * 60_000
        for number in range(MAX_CONTENTS_BYTES // len(name) + 1):
            archive.writestr(f"{name}{number}", b"")


def _large_table(path: Path) -> None:
    _zip(path, b"}" + bytes(17 << 20))


ZIPS: dict[str, tuple[Callable[[Path], None], str]] = {
    "overlapping": (_overlapping, "overlap"),
    "compressed": (_compressed, "compressed"),
    "crowded": (_crowded, "list of parts"),
    "large table": (_large_table, "table of tensors is larger"),
}


@pytest.mark.parametrize("kind", list(ZIPS))
def test_zips_that_hold_more_than_they_are_long_are_refused(tmp_path: Path, kind: str) -> None:
    make, word = ZIPS[kind]
    make(tmp_path / "bomb.pt")
    with pytest.raises(UnsafeFile, match=word):
        read_checkpoint(tmp_path / "bomb.pt")


def test_more_than_there_is_memory_for_is_told_in_words(tmp_path: Path) -> None:
    """A sound file, and a process that is not given enough for it."""
    path = tmp_path / "large.pt"
    torch.save({"a": torch.zeros(MEMORY // 4)}, path)
    assert _read_apart(path) == [f"{path} can't be read: it takes more memory than is free"]


@pytest.mark.parametrize("command", ["convert", "trunk"])
def test_commands_refuse_a_bomb_with_one_sentence(tmp_path: Path, command: str) -> None:
    path = tmp_path / "model_97_acc_100_frames_FF_data.pt"
    _zip(path, TABLES["a key of many tuples"][0])
    code = {
        "convert": f"from unmask.cli import app; app(['model', 'convert', {str(path)!r}, 'out'])",
        "trunk": (
            "from unmask.commands.told import told\n"
            "from unmask.model.description import Architecture\n"
            "from unmask.model.pretrained import first_weights\n"
            f"with told(): first_weights(Architecture(trunk='compact', width=8), {str(path)!r})"
        ),
    }[command]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 1, done.stderr[-500:]
    assert f"{path} is refused" in done.stderr
    assert not (tmp_path / "out").exists()
