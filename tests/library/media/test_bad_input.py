"""Whatever the bytes are: a manifest, or a typed refusal; never another error, never a hang."""

import io
import itertools
import random
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bench.made.faces import astronaut
from bench.made.film import coded, one_face
from tests.making.extracted import extracted
from unmask.errors import Refused
from unmask.media import extract
from unmask.media.budget import Budget
from unmask.media.endings import cut_short
from unmask.media.source import opened
from unmask.media.values import Limits, Manifest
from unmask.media.video import Video
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

#: BlazeFace looks at a picture of one size: the quickest, and all of them decode the same.
QUICK = ScanSpec(windows=2, frames=3, detector="blazeface", detector_px=160, min_frames=1)
#: However broken, a file of a few kilobytes is dealt with at once; under load, within this.
AT_ONCE = Limits(deadline_s=30)
#: Files with flipped bytes, of each kind.
FLIPS = 20
FILM = one_face(12, lambda i: (75 + i, 60), side=lambda _: 64, size=(160, 120)).pictures


def _still(kind: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(astronaut()[:200, 100:300]).save(target, kind)
    return target.getvalue()


def _animation(kind: str) -> bytes:
    first, *rest = [Image.fromarray(picture) for picture in FILM[:6]]
    target = io.BytesIO()
    first.save(target, kind, save_all=True, append_images=rest, duration=80, loop=0)
    return target.getvalue()


SEEDS = {
    "mp4": coded(FILM, muxer={"movflags": "+faststart"}),
    "mp4, index last": coded(FILM),
    "mp4, fragments": coded(FILM, muxer={"movflags": "+frag_every_frame+empty_moov"}),
    "mkv": coded(FILM, container="matroska"),
    "webm": coded(FILM[:8], container="webm", codec="libvpx-vp9"),
    "avi": coded(FILM[:12], container="avi", codec="mjpeg", pixels="yuvj420p"),
    "ts": coded(FILM, container="mpegts"),
    "jpeg": _still("JPEG"),
    "png": _still("PNG"),
    "webp": _still("WEBP"),
    "avif": _still("AVIF"),
    "heif": _still("HEIF"),
    "tiff": _still("TIFF"),
    "gif": _animation("GIF"),
    "apng": _animation("PNG"),
    "moving webp": _animation("WEBP"),
    "moving avif": _animation("AVIF"),
}
#: Cut at every hundredth; the others at every fourth, so that the suite stays quick.
OFTEN = {"mp4", "mkv", "webm", "avi", "jpeg", "png", "webp", "avif", "moving avif", "gif"}
#: They hold nothing to tell the length by: what is cut between two packets looks whole.
SILENT = {"mp4, fragments", "ts"}
#: Their headers are no longer there, or nothing is shown before all is there.
ALL_OR_NOTHING = {"mp4, index last", "webp", "moving webp", "avif"}


def _ends_well(data: bytes) -> Manifest | Outcome:
    try:
        return extracted(data, QUICK, AT_ONCE)[1]
    except Refused as refusal:
        return _for_people(refusal).outcome


def _for_people(refusal: Refused) -> Refused:
    assert refusal.reason
    assert "Errno" not in refusal.reason
    assert refusal.outcome is not Outcome.TIMED_OUT
    return refusal


@pytest.mark.parametrize("kind", SEEDS)
def test_cut_off_anywhere(kind: str) -> None:
    """Each length is a file of its own. What is left of it is kept, and the result says so."""
    whole = SEEDS[kind]
    kept = 0
    for percent in range(0, 100, 1 if kind in OFTEN else 4):
        found = _ends_well(whole[: len(whole) * percent // 100])
        if isinstance(found, Manifest):
            kept += 1
            assert kind in SILENT or (found.partial and found.notes)
    assert kept == 0 if kind in ALL_OR_NOTHING else kept > 0
    found = _ends_well(whole)
    assert isinstance(found, Manifest)
    assert found.persons
    assert not found.partial


@pytest.mark.parametrize("before", [b"", b"time"], ids=["188", "192"])
def test_a_transport_stream_cut_inside_a_packet_says_so(before: bytes) -> None:
    """Cameras and discs write a time before each packet."""
    whole = SEEDS["ts"]
    data = b"".join(before + whole[at : at + 188] for at in range(0, len(whole), 188))
    assert cut_short(io.BytesIO(data)) == ""
    assert "cut off" in cut_short(io.BytesIO(data[:-100]))
    found = _ends_well(data[:-100])
    assert isinstance(found, Manifest)
    assert (found.media.container, found.partial) == ("mpegts", True)


@pytest.mark.parametrize("behind", [b"filmed by somebody " * 9, _still("JPEG"), bytes(99), b"?"])
@pytest.mark.parametrize("kind", ["mp4", "mp4, index last", "mp4, fragments", "moving avif"])
def test_what_was_put_behind_a_film_is_nothing_missing(kind: str, behind: bytes) -> None:
    found = _ends_well(SEEDS[kind] + behind)
    assert isinstance(found, Manifest)
    assert found.persons
    assert (found.partial, found.notes) == (False, ())


@pytest.mark.parametrize("kind", SEEDS)
def test_flipped_bytes(kind: str) -> None:
    for seed in range(FLIPS):
        chance = random.Random(seed)
        data = bytearray(SEEDS[kind])
        for _ in range(1 + seed // 2):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        _ends_well(bytes(data))


@pytest.mark.parametrize("kind", SEEDS)
def test_flipped_bytes_of_the_header(kind: str) -> None:
    for seed in range(FLIPS):
        chance = random.Random(seed)
        data = bytearray(SEEDS[kind])
        data[chance.randrange(min(len(data), 400))] = chance.choice((0, 0x7F, 0x80, 0xFF))
        _ends_well(bytes(data))


def _at(mark: bytes, offset: int, value: bytes) -> Callable[[bytes], bytes]:
    """Writes `value` so far behind the first place of the mark."""

    def lie(data: bytes) -> bytes:
        place = data.index(mark) + offset
        return data[:place] + value + data[place + len(value) :]

    return lie


FULL = b"\xff\xff\xff\xff"
#: What → (of which file, the lie).
LIES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "the film lasts for years": ("mp4", _at(b"mvhd", 20, b"\x7f\xff\xff\xff")),
    "the track lasts for years": ("mp4", _at(b"mdhd", 20, b"\x7f\xff\xff\xff")),
    "a second has no ticks": ("mp4", _at(b"mdhd", 16, bytes(4))),
    "the coder's picture is huge": ("mp4", _at(b"avc1", 28, FULL)),
    "the track's picture is huge": ("mp4", _at(b"tkhd", 80, FULL * 2)),
    "the matrix is all zeros": ("mp4", _at(b"tkhd", 44, bytes(36))),
    "the matrix is all ones": ("mp4", _at(b"tkhd", 44, FULL * 9)),
    "four billion samples": ("mp4", _at(b"stsz", 12, FULL)),
    "every sample is huge": ("mp4", _at(b"stsz", 8, b"\x7f\xff\xff\xff")),
    "four billion times": ("mp4", _at(b"stts", 8, FULL)),
    "time stands still": ("mp4", _at(b"stts", 16, bytes(4))),
    "chunks beyond the file": ("mp4", _at(b"stco", 12, FULL)),
    "a box is its own parent": ("mp4", _at(b"trak", -4, struct.pack(">I", 0))),
    "no coding parameters": ("mp4", _at(b"avcC", 5, bytes(16))),
    "mkv: wide": ("mkv", _at(b"\xb0\x81", 1, b"\x84\x7f\xff\xff\xff")),
    "mkv: no duration": ("mkv", _at(b"\x44\x89", 2, b"\x88" + FULL)),
    "mkv: no scale of time": ("mkv", _at(b"\x2a\xd7\xb1", 4, bytes(3))),
    "avi: no time between frames": ("avi", _at(b"avih", 8, bytes(4))),
    "avi: four billion frames": ("avi", _at(b"avih", 24, FULL)),
    "avi: huge": ("avi", _at(b"strf", 12, b"\xff\xff\x00\x00" * 2)),
    "avi: endless list": ("avi", _at(b"LIST", 4, FULL)),
    "gif: huge": ("gif", _at(b"GIF8", 6, b"\xff\xff\xff\xff")),
    "gif: frame beyond the screen": ("gif", _at(b"\x2c", 1, FULL * 2)),
    "png: huge": ("png", _at(b"IHDR", 4, struct.pack(">II", 65535, 65535))),
    "png: nothing": ("png", _at(b"IHDR", 4, bytes(8))),
    "png: chunk of two gigabytes": ("png", _at(b"IDAT", -4, b"\x7f\xff\xff\xff")),
    "apng: four billion frames": ("apng", _at(b"acTL", 4, FULL)),
    "jpeg: huge": ("jpeg", _at(b"\xff\xc0", 5, b"\xff\xff\xff\xff")),
    "jpeg: thousands of pixels more": ("jpeg", _at(b"\xff\xc0", 5, b"\x1f\x00\x1f\x00")),
    "jpeg: no lines": ("jpeg", _at(b"\xff\xc0", 5, bytes(4))),
    "webp: huge": ("webp", _at(b"VP8 ", 14, b"\xff\x3f\xff\x3f")),
    "webp: long": ("webp", _at(b"RIFF", 4, FULL)),
    "moving webp: huge": ("moving webp", _at(b"VP8X", 12, b"\xff" * 6)),
    "avif: huge": ("avif", _at(b"ispe", 8, FULL * 2)),
    "avif: somewhere else": ("avif", _at(b"iloc", 16, FULL)),
    "heif: huge": ("heif", _at(b"ispe", 8, FULL * 2)),
    "tiff: first page nowhere": ("tiff", _at(b"II*\x00", 4, FULL)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies(lie: str) -> None:
    kind, tell = LIES[lie]
    told = tell(SEEDS[kind])
    assert told != SEEDS[kind]
    _ends_well(told)


def test_reasons_are_for_people() -> None:
    with pytest.raises(Refused) as refusal:
        extracted(SEEDS["mkv"][:50])
    assert "Errno" not in refusal.value.reason
    assert "<none>" not in refusal.value.reason


@pytest.mark.parametrize("kind", SEEDS)
def test_what_begins_as_media_is_broken_media(kind: str) -> None:
    if kind != "ts":
        assert _ends_well(SEEDS[kind][:40]) is Outcome.UNDECODABLE


@pytest.mark.parametrize(
    ("kind", "mark", "other"),
    [
        ("mp4", b"avc1", b"zzzz"),
        ("mkv", b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/X/Y/Z"),
        ("avi", b"MJPG", b"ZZZZ"),
    ],
)
def test_a_coding_that_no_decoder_knows_is_not_called_damage(
    kind: str, mark: bytes, other: bytes
) -> None:
    with pytest.raises(Refused, match="coded in a way unknown here") as refusal:
        extracted(SEEDS[kind].replace(mark, other))
    assert refusal.value.outcome is Outcome.UNDECODABLE


def test_what_was_decoded_before_the_break_is_kept() -> None:
    film = coded(one_face(100, lambda i: (200 + i, 180)).pictures, muxer={"movflags": "+faststart"})
    _, manifest = extracted(film[: len(film) // 2])
    assert manifest.partial
    assert 20 < len(manifest.persons[0].frames) < 80
    assert manifest.notes


def test_where_nothing_could_be_looked_at_nobody_says_that_there_is_no_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Video, "pictures", lambda _video, _start_s: iter(()))
    with pytest.raises(Refused, match="not one of the pictures to look at") as refusal:
        extracted(SEEDS["mp4"], QUICK)
    assert _for_people(refusal.value).outcome is Outcome.UNDECODABLE


@pytest.mark.parametrize("kind", ["mp4", "jpeg", "heif", "gif", "moving webp", "moving avif"])
@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        (Limits(max_pixels=1000), Outcome.TOO_LARGE),
        (Limits(max_bytes=100), Outcome.TOO_LARGE),
        (Limits(deadline_s=0), Outcome.TIMED_OUT),
    ],
)
def test_each_limit_has_its_outcome(kind: str, limits: Limits, outcome: Outcome) -> None:
    with pytest.raises(Refused) as refusal:
        extracted(SEEDS[kind], QUICK, limits)
    assert refusal.value.outcome is outcome


def test_a_film_may_last_only_so_long() -> None:
    with pytest.raises(Refused, match="longer than") as refusal:
        extracted(SEEDS["mp4"], QUICK, Limits(max_duration_s=0.3))
    assert refusal.value.outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("kind", ["mp4", "png", "moving webp"])
def test_memory_is_looked_at_on_every_road(kind: str) -> None:
    held = itertools.chain([0], itertools.repeat(9 << 20))
    budget = Budget(Limits(memory_bytes=8 << 20), memory=lambda: next(held))
    with (
        pytest.raises(Refused, match="took more than 8 MB") as refusal,
        opened(io.BytesIO(SEEDS[kind]), budget),
    ):
        pass
    assert refusal.value.outcome is Outcome.OVER_BUDGET


def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    data = bytearray(_still("PNG"))
    data[16:24] = (65535).to_bytes(4, "big") * 2
    assert _ends_well(bytes(data)) in {Outcome.TOO_LARGE, Outcome.NOT_MEDIA, Outcome.UNDECODABLE}


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        b"<?xml version='1.0'?><MPD><Period><AdaptationSet/></Period></MPD>",
    ],
)
def test_a_playlist_is_no_media(playlist: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        extracted(playlist)
    assert refusal.value.outcome in {Outcome.NOT_MEDIA, Outcome.UNDECODABLE}


def test_sound_alone_is_no_picture() -> None:
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    assert _ends_well(target.getvalue()) is Outcome.NOT_MEDIA


@pytest.mark.parametrize(
    "data",
    [
        coded(FILM[:2], container="swf", codec="flv"),
        coded(FILM[:2], container="mpjpeg", codec="mjpeg", pixels="yuvj420p"),
        b"ffconcat version 1.0\nfile other.mp4\n",
    ],
    ids=["swf", "mpjpeg", "concat"],
)
def test_a_kind_that_is_not_opened_is_told_from_no_media(data: bytes) -> None:
    with pytest.raises(Refused, match="a kind of file that is not opened here") as refusal:
        extracted(data, QUICK, AT_ONCE)
    assert refusal.value.outcome is Outcome.NOT_MEDIA
    with pytest.raises(Refused, match="Invalid data found"):
        extracted(b"hello world" * 99, QUICK, AT_ONCE)


#: What FFmpeg's own command line would take for a sequence of pictures, another file or a network.
NAMES = [
    "frame%03d.gif",
    "frame%d.jpg",
    "frame*.png",
    "concat:frame000.gif|frame001.gif",
    "subfile,,start,0,end,99,,:frame000.gif",
    "http:127.0.0.1:9",
    "pipe:0.mp4",
    "-.m3u8",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["gif", "mp4", "jpeg"])
def test_a_name_opens_no_neighbour(tmp_path: Path, kind: str, name: str) -> None:
    for number in range(3):
        (tmp_path / f"frame{number:03d}.gif").write_bytes(SEEDS["gif"][:-200])
        (tmp_path / f"frame{number}.jpg").write_bytes(SEEDS["jpeg"][:-200])
    (tmp_path / name).write_bytes(SEEDS[kind])
    clips, manifest = extracted(SEEDS[kind], QUICK, AT_ONCE)
    with (tmp_path / name).open("rb") as file:
        assert list(extract(file, QUICK, AT_ONCE)) == [*clips, manifest]
