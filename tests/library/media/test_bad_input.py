"""Whatever the bytes are: a manifest, or a typed refusal; never another error."""

import io
import random

import pytest
from PIL import Image

from tests.library.media.faces import astronaut
from tests.library.media.film import coded, one_face
from tests.library.media.run import extracted
from unmask.errors import Refused
from unmask.media.values import Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

QUICK = ScanSpec(windows=2, frames=3, detector_px=160)
FILM = one_face(24, lambda i: (100 + i, 90), size=(240, 180)).pictures


def _still(kind: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(astronaut()[:200, 100:300]).save(target, kind)
    return target.getvalue()


SEEDS = {
    "mp4": coded(FILM, muxer={"movflags": "+faststart"}),
    "mkv": coded(FILM, container="matroska"),
    "avi": coded(FILM, container="avi", codec="mjpeg", pixels="yuvj420p"),
    "ts": coded(FILM, container="mpegts"),
    "jpeg": _still("JPEG"),
    "png": _still("PNG"),
    "webp": _still("WEBP"),
    "gif": _still("GIF"),
}


def _ends_well(data: bytes) -> Manifest | Outcome:
    try:
        return extracted(data, QUICK)[1]
    except Refused as refusal:
        return refusal.outcome


@pytest.mark.parametrize("kind", SEEDS)
def test_cut_off_anywhere(kind: str) -> None:
    """A sample of every hundredth; each length is a file of its own."""
    whole = SEEDS[kind]
    for percent in range(0, 100, 4):
        _ends_well(whole[: len(whole) * percent // 100])


@pytest.mark.parametrize("kind", SEEDS)
def test_flipped_bytes(kind: str) -> None:
    for seed in range(12):
        chance = random.Random(seed)
        data = bytearray(SEEDS[kind])
        for _ in range(1 + seed):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        _ends_well(bytes(data))


def test_reasons_are_for_people() -> None:
    with pytest.raises(Refused) as refusal:
        extracted(SEEDS["mkv"][:50])
    assert "Errno" not in refusal.value.reason
    assert "<none>" not in refusal.value.reason


def test_what_was_decoded_before_the_break_is_kept() -> None:
    film = coded(one_face(100, lambda i: (200 + i, 180)).pictures, muxer={"movflags": "+faststart"})
    _, manifest = extracted(film[: len(film) // 2])
    assert manifest.partial
    assert 20 < len(manifest.persons[0].frames) < 80
    assert manifest.notes


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        (Limits(max_pixels=1000), Outcome.TOO_LARGE),
        (Limits(max_duration_s=0.5), Outcome.TOO_LARGE),
        (Limits(max_bytes=100), Outcome.TOO_LARGE),
        (Limits(deadline_s=0), Outcome.TIMED_OUT),
    ],
)
def test_each_limit_has_its_outcome(limits: Limits, outcome: Outcome) -> None:
    with pytest.raises(Refused) as refusal:
        extracted(SEEDS["mp4"], QUICK, limits)
    assert refusal.value.outcome is outcome


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
    import wave

    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    assert _ends_well(target.getvalue()) is Outcome.NOT_MEDIA
