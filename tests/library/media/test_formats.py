"""Every kind of picture, animation and video takes the same road."""

import io
import struct
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from bench.made.boxes import EVERY_FRAME, face_square, squared
from bench.made.faces import ASTRONAUT_FACE, Rgb, astronaut
from bench.made.film import coded, one_face
from tests.making.extracted import extracted
from tests.making.shown import apart, pictures, wholes
from unmask.errors import Refused
from unmask.media import decode_frames
from unmask.media.geometry import iou
from unmask.media.planes import to_picture
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

SCENE = one_face(12, lambda i: (200 + 6 * i, 150), size=(480, 320))


def still(kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(astronaut()).save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "HEIF", "GIF"])
def test_a_still_of_every_kind(kind: str) -> None:
    _, manifest = extracted(still(kind))
    (frame,) = manifest.persons[0].frames
    assert (manifest.media.kind, manifest.media.width) == ("picture", 512)
    assert iou(face_square(frame, EVERY_FRAME), squared(ASTRONAUT_FACE)) > 0.7


@pytest.mark.parametrize("codec", ["jpeg2000", "ppm"])
def test_a_picture_that_only_ffmpeg_reads_is_a_picture_too(codec: str) -> None:
    coder: Any = av.CodecContext.create(codec, "w")
    coder.width, coder.height, coder.pix_fmt = 512, 512, "rgb24"
    coder.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(astronaut(), format="rgb24").reformat(format=coder.pix_fmt)
    data = b"".join(bytes(packet) for packet in [*coder.encode(frame), *coder.encode(None)])
    _, manifest = extracted(data)
    assert (manifest.media.kind, len(manifest.persons[0].frames)) == ("picture", 1)
    assert manifest.coverage == 1
    assert manifest.media.frame_rate is None


def test_a_picture_larger_than_tiff_can_tell() -> None:
    data = still("TIFF", big_tiff=True)
    assert data.startswith(b"II+\0")
    _, manifest = extracted(data)
    assert (manifest.media.kind, manifest.media.width) == ("picture", 512)
    assert len(manifest.persons[0].frames) == 1


def test_one_the_other_way_round_is_no_stranger() -> None:
    """Pillow takes it for a TIFF of the small kind, and fails."""
    target = io.BytesIO()
    tifffile.imwrite(target, astronaut(), bigtiff=True, byteorder=">")
    assert target.getvalue().startswith(b"MM\0+")
    with pytest.raises(Refused, match="it begins as a BigTIFF picture does") as refusal:
        extracted(target.getvalue())
    assert refusal.value.outcome is Outcome.UNDECODABLE


def smaller() -> Image.Image:
    """What cameras put behind a photograph: the light of HDR, a preview, the other eye's view."""
    return Image.fromarray(astronaut()).convert("L").convert("RGB").resize((128, 128))


@pytest.mark.parametrize(
    "picture",
    [
        still("JPEG"),
        still("MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))]),
        still("PNG"),
    ],
    ids=["jpeg", "jpeg with its light", "png"],
)
def test_of_a_photo_that_moves_the_picture_is_looked_at_and_it_is_told(picture: bytes) -> None:
    told = "a film lies behind the picture; only the picture was looked at"
    _, manifest = extracted(picture + coded(SCENE.pictures[:3]))
    assert (manifest.media.kind, manifest.notes) == ("picture", (told,))
    assert extracted(picture + b"filmed by somebody")[1].notes == ()


def test_a_photo_with_others_behind_it_is_one_picture_of_the_whole() -> None:
    """As telephones write JPEGs: it moves no more than a photograph does."""
    data = still("MPO", save_all=True, append_images=[smaller()])
    clips, manifest = extracted(data)
    (frame,) = manifest.persons[0].frames
    assert (manifest.media.kind, manifest.media.width) == ("picture", 512)
    assert iou(face_square(frame, EVERY_FRAME), squared(ASTRONAUT_FACE)) > 0.7
    assert decode_frames(clips[0].data, manifest.persons[0])[0].std(axis=2).mean() > 5
    assert not manifest.notes


@pytest.mark.parametrize("kind", ["TIFF", "HEIF"])
def test_of_an_album_the_main_picture_is_looked_at_and_the_rest_is_told(kind: str) -> None:
    _, manifest = extracted(still(kind, save_all=True, append_images=[smaller(), smaller()]))
    assert (manifest.media.kind, manifest.media.width) == ("picture", 512)
    assert len(manifest.persons[0].frames) == 1
    assert manifest.notes == ("it holds more than one picture; only the main one was looked at",)
    assert not manifest.partial


def test_of_jpegs_one_behind_another_the_first_is_looked_at_and_the_rest_is_told() -> None:
    """As cameras write films without a container. What a JPEG holds itself is no other one."""
    notes = Image.Exif()
    notes[0x927C] = still("JPEG")[:4000] + b"\xff\xd9\xff\xd8\xff"
    alone = still("JPEG", exif=notes)
    assert b"\xff\xd9\xff\xd8\xff" in alone
    _, manifest = extracted(alone)
    assert manifest.notes == ()
    for behind in (b"", b"\0\0", still("JPEG")[-1:]):
        assert extracted(alone + behind)[1].notes == ()
    _, manifest = extracted(alone * 3)
    assert (manifest.media.kind, len(manifest.persons[0].frames)) == ("picture", 1)
    assert manifest.notes == ("it holds more than one picture; only the main one was looked at",)
    assert not manifest.partial


@pytest.mark.parametrize("most", [1.0, 1.2, 255.0])
def test_a_picture_of_floating_samples(most: float) -> None:
    grey = np.asarray(Image.fromarray(astronaut()).convert("L"))
    samples = grey.astype(np.float32) * np.float32(most / grey.max())
    target = io.BytesIO()
    Image.fromarray(samples).save(target, "TIFF")
    (shown,) = wholes(target.getvalue())
    wanted = np.clip(samples / (255 if most == 255 else 1), 0, 1)[..., None].repeat(3, 2) * 255
    assert apart(shown, wanted) <= 1
    assert shown.max() == 255


def test_the_cover_of_music_is_no_film() -> None:
    cover = still("JPEG")
    frame = b"\0image/jpeg\0\3\0" + cover
    tag = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    with pytest.raises(Refused, match="no video") as refusal:
        extracted(b"ID3\3\0\0" + size + tag + _silence())
    assert refusal.value.outcome is Outcome.NOT_MEDIA
    assert "a cover picture, audio" in refusal.value.reason


def _silence() -> bytes:
    """A second of it as MP3."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp3", options={"id3v2_version": "0"}) as output:
        stream: Any = output.add_stream("libmp3lame", rate=44100, layout="mono")
        quiet = av.AudioFrame.from_ndarray(
            np.zeros((1, 44100), np.float32), format="fltp", layout="mono"
        )
        quiet.sample_rate = 44100
        output.mux(stream.encode(quiet))
        output.mux(stream.encode(None))
        output.close()
        return target.getvalue()


def test_a_photo_taken_sideways_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.rot90(astronaut())
    target = io.BytesIO()
    Image.fromarray(turned).save(target, "JPEG", exif=exif)
    _, manifest = extracted(target.getvalue())
    assert (
        iou(face_square(manifest.persons[0].frames[0], EVERY_FRAME), squared(ASTRONAUT_FACE)) > 0.7
    )


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_of_every_kind(kind: str) -> None:
    first, *rest = [Image.fromarray(picture) for picture in SCENE.pictures]
    target = io.BytesIO()
    first.save(target, kind, save_all=True, append_images=rest, duration=80, loop=0)
    _, manifest = extracted(target.getvalue())
    moments = [frame.time_s for frame in manifest.persons[0].frames]
    assert moments == pytest.approx([0.08 * index for index in range(12)], abs=0.001)
    assert manifest.media.duration_s == pytest.approx(12 * 0.08, abs=0.001)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_too_the_whole_length_is_looked_at(kind: str) -> None:
    first, *rest = [Image.fromarray(picture) for picture in SCENE.pictures]
    target = io.BytesIO()
    times = [100, 200, 50, 0, 80, 300, 40, 100, 1000, 70, 500, 90]
    first.save(target, kind, save_all=True, append_images=rest, duration=times, loop=0)
    _, manifest = extracted(target.getvalue(), ScanSpec(windows=2, frames=3, spacing_s=0.1))
    # A frame that names no time is shown for a tenth of a second.
    assert manifest.media.duration_s == pytest.approx((sum(times) + 100) / 1000)
    windows = [frame.window for frame in manifest.persons[0].frames]
    assert set(windows) == {0, 1}
    assert manifest.persons[0].frames[-1].time_s > 1.5


@pytest.mark.parametrize(
    ("container", "codec", "pixels"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("mp4", "libx264", "yuv444p"),
        ("mp4", "libx264", "yuv420p10le"),
        ("mp4", "libx265", "yuv420p10le"),
        ("webm", "libvpx-vp9", "yuv420p"),
        ("mp4", "libsvtav1", "yuv420p10le"),
        ("matroska", "ffv1", "yuv422p"),
        ("matroska", "ffv1", "bgr0"),
        ("avi", "mjpeg", "yuvj420p"),
        ("mpegts", "mpeg2video", "yuv420p"),
        ("mov", "prores_ks", "yuv422p10le"),
        ("mov", "qtrle", "argb"),
        ("mpegts", "libx264", "yuv420p"),
    ],
)
def test_a_video_of_every_kind(container: str, codec: str, pixels: str) -> None:
    data = coded(SCENE.pictures, container=container, codec=codec, pixels=pixels)
    clips, manifest = extracted(data)
    (person,) = manifest.persons
    assert len(person.frames) == 12
    times = [frame.time_s for frame in person.frames]
    assert times == pytest.approx([index / 25 for index in range(12)], abs=0.002)
    for frame, truth in zip(person.frames, SCENE.faces, strict=True):
        assert iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"])) > 0.7
    assert _colour_error(decode_frames(clips[0].data, person)[0], person.frames[0].box) < 12


def test_a_cameras_own_notes_in_every_frame_are_passed_over() -> None:
    notes = Image.Exif()
    notes[0x010F] = "a camera"
    target = io.BytesIO()
    with av.open(target, "w", format="avi") as film:
        stream = film.add_stream("mjpeg", rate=25, width=512, height=512, pix_fmt="yuvj420p")
        for number in range(12):
            packet = av.Packet(still("JPEG", exif=notes))
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), stream
            film.mux(packet)
    _, manifest = extracted(target.getvalue())
    assert (manifest.media.codec, len(manifest.persons[0].frames)) == ("mjpeg", 12)


def _colour_error(shown: Any, box: Any) -> float:
    """Against the picture that was coded, cut at the same place."""
    top, left, side = int(box.y), int(box.x), int(box.width)
    cut = SCENE.pictures[0][top : top + side, left : left + side]
    wanted = cv2.resize(cut, (112, 112), interpolation=cv2.INTER_AREA)
    return float(np.abs(wanted.astype(int) - shown).mean())


def test_a_layout_that_nothing_can_show_is_refused_in_words() -> None:
    data = coded(SCENE.pictures[:2], container="nut", codec="rawvideo", pixels="bgr4")
    with pytest.raises(Refused, match="a layout of bgr4: Operation not supported") as refusal:
        extracted(data)
    assert refusal.value.outcome is Outcome.UNDECODABLE


def test_a_picture_that_nothing_can_show_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the layout changes on the way; the others are looked at."""
    real, seen = to_picture, list[float]()

    def failing(frame: Any, time_s: float, *told: Any) -> Any:
        seen.append(time_s)
        if len(seen) == 4:
            raise av.error.OSError(95, "Operation not supported")
        return real(frame, time_s, *told)

    monkeypatch.setattr("unmask.media.video.to_picture", failing)
    _, manifest = extracted(coded(SCENE.pictures))
    assert len(manifest.persons[0].frames) == 11
    assert manifest.partial
    assert manifest.notes == ("a broken part: Operation not supported",)


@pytest.mark.parametrize("rate", [24, 25, Fraction(30000, 1001), 60])
def test_time_stamps_are_exact_at_every_rate(rate: int | Fraction) -> None:
    _, manifest = extracted(coded(SCENE.pictures, rate=rate))
    times = [frame.time_s for frame in manifest.persons[0].frames]
    assert times == pytest.approx([float(index / rate) for index in range(12)], abs=1e-6)


def test_time_stamps_are_exact_where_the_rate_varies() -> None:
    moments = [0, 40, 60, 61, 200, 210, 300, 333, 400, 500, 777, 1000]
    _, manifest = extracted(coded(SCENE.pictures, container="matroska", times=moments))
    times = [frame.time_s for frame in manifest.persons[0].frames]
    assert times == pytest.approx([moment / 1000 for moment in moments])


def test_a_phone_held_upright() -> None:
    """The film is coded lying, and a matrix in its header says to turn it."""
    lying = [np.ascontiguousarray(np.rot90(picture)) for picture in SCENE.pictures]
    data = bytearray(coded(lying))
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = struct.pack(
        ">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 320 << 16, 0, 1 << 30
    )
    _, manifest = extracted(bytes(data))
    assert (manifest.media.width, manifest.media.height) == (480, 320)
    for frame, truth in zip(manifest.persons[0].frames, SCENE.faces, strict=True):
        assert iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"])) > 0.7


def test_flat_pixels_are_made_square() -> None:
    def flatten(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)

    narrow = [np.ascontiguousarray(picture[:, ::2]) for picture in SCENE.pictures]
    _, manifest = extracted(coded(narrow, change=flatten))
    assert (manifest.media.width, manifest.media.height) == (480, 320)
    for frame, truth in zip(manifest.persons[0].frames, SCENE.faces, strict=True):
        assert iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"])) > 0.7


def test_the_container_tells_how_wide_pixels_are_where_the_coding_tells_otherwise() -> None:
    """As programs write it who change a film's shape without coding it anew; players follow."""

    def square(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(1)

    narrow = [np.ascontiguousarray(picture[:, ::2]) for picture in SCENE.pictures]
    data = bytearray(coded(narrow, change=square))
    shape = data.index(b"pasp") + 4
    data[shape : shape + 8] = struct.pack(">II", 2, 1)
    _, manifest = extracted(bytes(data))
    assert (manifest.media.width, manifest.media.height) == (480, 320)
    for frame, truth in zip(manifest.persons[0].frames, SCENE.faces, strict=True):
        assert iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"])) > 0.7


def test_pixels_that_change_their_shape_on_the_way_are_followed() -> None:
    """As television does from one programme to the next."""
    first = _shaped(SCENE.pictures[:3], Fraction(1))
    shown = pictures(first + _shaped(SCENE.pictures[:3], Fraction(2)))
    # The widest that MPEG-2 can tell is 2.21 times as wide as high.
    assert [shown[place].view.size for place in (0, -1)] == [(480, 320), (707, 320)]


def _shaped(pictures: list[Rgb], shape: Fraction) -> bytes:
    def change(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = shape

    return coded(pictures, container="mpegts", codec="mpeg2video", change=change)


def test_the_same_moments_at_24_and_60_frames_a_second() -> None:
    spec = ScanSpec(windows=1, frames=5, spacing_s=0.1)
    for rate in (24, 60):
        pictures = one_face(rate, lambda _: (200, 150), size=(480, 320)).pictures
        _, manifest = extracted(coded(pictures, rate=rate), spec)
        times = [frame.time_s for frame in manifest.persons[0].frames]
        assert np.diff(times).mean() == pytest.approx(0.1, abs=0.02)
