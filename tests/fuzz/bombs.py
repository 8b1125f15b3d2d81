"""Small files that ask for much: space, time, pictures, tracks; and files that are two things."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from tests.fuzz.formats import mp4
from tests.fuzz.parts import put
from tests.fuzz.seeds import seeds
from tests.fuzz.subtitled import avi_with_subtitles

MIB = 1 << 20
BIG = 65_535


def png_of(width: int, height: int, pixels: bytes, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = [
        png_chunk(b"IHDR", header),
        *chunks,
        png_chunk(b"IDAT", pixels),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def jpeg_of(width: int, height: int) -> bytes:
    good = seeds()["jpg"]
    at = good.index(b"\xff\xc0") + 5
    return put(good, at, struct.pack(">HH", height, width))


def gif_of(width: int, height: int, frames: int, delay: int = 1) -> bytes:
    """Frames of one pixel on a screen of any size."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"\x21\xf9\x04\x00" + struct.pack("<H", delay) + b"\0\0"
    frame = control + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * frames + b"\x3b"


def webp_of(width: int, height: int) -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0"
    canvas += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def bmp_of(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def mp4_field(box: str, offset: int, new: bytes) -> bytes:
    """The good film with another value in one field of one box."""
    data = seeds()["mp4"]
    (part,) = [one for one in mp4(data) if one.name == box][:1]
    return put(data, part.body + offset, new)


def mp4_tracks(count: int) -> bytes:
    data = seeds()["mp4"]
    parts = {part.name: part for part in mp4(data)}
    track, moov = parts["moov/trak"], parts["moov"]
    more = data[track.start : track.end] * count
    longer = struct.pack(">I", moov.end - moov.start + len(more))
    return put(data[: track.end] + more + data[track.end :], moov.start, longer)


def nested_boxes(levels: int) -> bytes:
    sizes = (8 * (levels - level) for level in range(levels))
    return seeds()["mp4"][:32] + b"".join(struct.pack(">I", size) + b"moov" for size in sizes)


def zipped(levels: int) -> bytes:
    data = b"\0" * MIB
    for level in range(levels):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(8):
                archive.writestr(f"{level}-{number}", data)
        data = out.getvalue()
    return data


_ONES = b"\xff" * 4
_STBL = "moov/trak/mdia/minf/stbl"
Made = Callable[[], bytes]

BOMBS: Mapping[str, Made] = {
    "png 65535²": lambda: png_of(BIG, BIG, zlib.compress(b"\0" * 1000)),
    "png 2³¹−1": lambda: png_of(2**31 - 1, 2**31 - 1, zlib.compress(b"\0")),
    "png 0²": lambda: png_of(0, 0, zlib.compress(b"\0")),
    "png that inflates": lambda: png_of(100, 100, zlib.compress(bytes(64 * MIB), 9)),
    "png profile that inflates": lambda: png_of(
        10,
        10,
        zlib.compress(bytes(110)),
        png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(32 * MIB))),
    ),
    "png text that inflates": lambda: png_of(
        10,
        10,
        zlib.compress(bytes(110)),
        png_chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(32 * MIB))),
    ),
    "png of many frames": lambda: png_of(
        10, 10, zlib.compress(bytes(110)), png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    ),
    "jpeg 65535²": lambda: jpeg_of(BIG, BIG),
    "jpeg 65500×1": lambda: jpeg_of(65_500, 1),
    "jpeg 0²": lambda: jpeg_of(0, 0),
    "jpeg of many scans": lambda: seeds()["jpg"][:-2] * 200,
    "gif 65535²": lambda: gif_of(BIG, BIG, 2),
    "gif 65535² of 1,000 frames": lambda: gif_of(BIG, BIG, 1000),
    "gif of 100,000 frames": lambda: gif_of(64, 64, 100_000),
    "gif of a million frames": lambda: gif_of(1, 1, 1_000_000),
    "gif of slow frames": lambda: gif_of(64, 64, 50, delay=BIG),
    "webp 2²⁴": lambda: webp_of(1 << 24, 1 << 24),
    "bmp 2³¹": lambda: bmp_of(2**31 - 1, 2**31 - 1),
    "bmp below zero": lambda: bmp_of(-1, -(2**31)),
    "mp4 of 65535²": lambda: mp4_field(f"{_STBL}/stsd", 40, struct.pack(">HH", BIG, BIG)),
    "mp4 without end": lambda: mp4_field("moov/mvhd", 16, _ONES),
    "mp4 of another second": lambda: mp4_field("moov/trak/mdia/mdhd", 12, struct.pack(">I", 1)),
    "mp4 without seconds": lambda: mp4_field("moov/trak/mdia/mdhd", 12, bytes(4)),
    "mp4 of many times": lambda: mp4_field(f"{_STBL}/stts", 4, _ONES),
    "mp4 of long frames": lambda: mp4_field(f"{_STBL}/stts", 12, b"\x7f\xff\xff\xff"),
    "mp4 of frames without time": lambda: mp4_field(f"{_STBL}/stts", 12, bytes(4)),
    "mp4 of huge frames": lambda: mp4_field(f"{_STBL}/stsz", 4, b"\x7f\xff\xff\xff"),
    "mp4 of many frames": lambda: mp4_field(f"{_STBL}/stsz", 8, _ONES),
    "mp4 of frames elsewhere": lambda: mp4_field(f"{_STBL}/stco", 8, _ONES),
    "mp4 of 1,000 tracks": lambda: mp4_tracks(1000),
    "mp4 of nested boxes": lambda: nested_boxes(20_000),
    "zip in zip": lambda: zipped(6),
    "nothing but zeros": lambda: bytes(4 * MIB),
    "nothing but ones": lambda: b"\xff" * 4 * MIB,
}


def playlist(secret: str) -> Mapping[str, bytes]:
    """Files that make other players open another file."""
    hls = f"#EXTM3U\n#EXTINF:10,\n{secret}\n#EXT-X-ENDLIST\n".encode()
    return {
        "hls": hls,
        "hls of hls": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{secret}\n".encode(),
        "concat": f"ffconcat version 1.0\nfile {secret}\n".encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "dash": (
            b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
            b"<AdaptationSet><Representation><BaseURL>file://"
            + secret.encode()
            + b"</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ),
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{secret}"/></svg>'.encode(),
        "imf": b'<?xml version="1.0"?><AssetMap><Id>x</Id></AssetMap>',
        "avi with a playlist": avi_with_subtitles(hls),
        "mp4 with a reference": seeds()["mp4"].replace(b"url \0\0\0\1", b"url \0\0\0\0")
        + f"url \0\0\0\0file://{secret}".encode("latin-1"),
    }


def polyglots() -> Mapping[str, bytes]:
    """Two formats in one file: one answer, whatever it is, and always the same."""
    good = seeds()
    html = b"<script>alert(1)</script>"
    return {
        "jpeg and zip": good["jpg"] + zipped(1),
        "gif and script": good["gif"].replace(b"GIF89a", b"GIF89a=1;/*", 1) + html,
        "gif and html": good["gif"] + html,
        "pdf and mp4": b"%PDF-1.7\n" + good["mp4"],
        "mp4 in jpeg": good["jpg"][:2] + b"\xff\xe1\xff\xff" + good["mp4"],
        "jpeg then mp4": good["jpg"] + good["mp4"],
        "mkv in avi": good["avi"][:12] + good["mkv"],
        "png then gif": good["png"] + good["gif"],
        "elf and mp4": b"\x7fELF" + good["mp4"][4:],
        "webp named avi": good["webp"].replace(b"WEBP", b"AVI ", 1),
    }
