"""A sample of what `make fuzz` does in full: malformed files in the real room."""

import io
from fractions import Fraction
from itertools import islice
from typing import Any

import av
import pytest
from PIL import Image, ImageCms

from infra.sandbox import Room
from tests.fuzz import corpus
from tests.fuzz.bombs import playlist
from tests.fuzz.campaign import Found, campaign
from tests.fuzz.formats import READERS
from tests.fuzz.look import look
from tests.fuzz.seeds import HEIGHT, WIDTH, seeds
from tests.fuzz.subtitled import TITLE, avi_with_subtitles
from unmask.media.holes import Range

#: One in so many of the structured ones, and so many random ones.
EVERY, RANDOM = 16, 60
#: Slow by their size alone; `make fuzz` has them.
LARGE = {"gif of a million frames", "gif of 100,000 frames", "jpeg of many scans"}


def nothing_wrong(found: Found) -> None:
    assert found.faults == []
    assert found.files > 0


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    names = [name for name, _ in corpus.structured()]
    assert len(names) == len(set(names)) >= 300
    assert {name.partition(":")[0] for name in names} == set(READERS)
    assert corpus.RANDOM >= 2000


def test_random_files_are_the_same_everywhere() -> None:
    assert list(corpus.mutations(20)) == list(corpus.mutations(20))
    assert len({data for _, data in corpus.mutations(200)}) > 190


@pytest.mark.parametrize("kind", sorted(READERS))
def test_the_files_they_are_made_of_are_good(kind: str) -> None:
    with Room() as room:
        assert look(room, seeds()[kind]).outcome == "looked at"


def test_broken_parts_end_typed_and_twice_the_same() -> None:
    nothing_wrong(campaign(islice(corpus.structured(), 0, None, EVERY)))


def test_random_mutations_end_typed_and_twice_the_same() -> None:
    nothing_wrong(campaign(corpus.mutations(RANDOM)))


def test_bombs_end_typed_and_twice_the_same() -> None:
    nothing_wrong(campaign((name, data) for name, data in corpus.bombs() if name not in LARGE))


def test_what_is_two_things_ends_typed_and_twice_the_same() -> None:
    nothing_wrong(campaign(corpus.two_faced()))


SPACE = ["png 65535²", "png 2³¹−1", "jpeg 65535²", "gif 65535²", "webp 2²⁴", "bmp 2³¹"]


@pytest.mark.parametrize("name", SPACE)
def test_a_picture_that_asks_for_too_much_space_is_refused(name: str) -> None:
    with Room() as room:
        seen = look(room, dict(corpus.bombs())[name])
    assert seen.outcome in {"too_large", "not_media", "undecodable", "over_budget"}


def test_no_decoder_falls_over_on_a_playlist() -> None:
    """They are refused for what they are, not because something broke on the way."""
    with Room() as room:
        for name, data in corpus.two_faced():
            assert not look(room, data).crashed, name


SPOKEN = b"1\n00:00:00,000 --> 00:00:01,000\nhello\n\n2\n00:00:01,000 --> 00:00:02,000\nagain\n\n"


@pytest.mark.parametrize(
    "data",
    [avi_with_subtitles(SPOKEN), playlist("x")["avi with a playlist"]],
    ids=["words", "a playlist"],
)
def test_a_playlist_in_an_avi_is_where_libav_looks_for_subtitles(data: bytes) -> None:
    with av.open(io.BytesIO(data)) as film:
        assert [stream.type for stream in film.streams] == ["video", "subtitle"]
        assert film.streams[1].metadata == {"title": TITLE}


def film_of_pngs(count: int = 10) -> bytes:
    """As some editors write them: each picture with a colour profile of a name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture, out = io.BytesIO(), io.BytesIO()
    Image.open(io.BytesIO(seeds()["jpg"])).save(picture, "PNG", icc_profile=profile)
    with av.open(out, "w", format="mov") as film:
        stream: Any = film.add_stream("png", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        for number in range(count):
            packet = av.Packet(picture.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            film.mux(packet)
    return out.getvalue()


def test_a_film_of_pictures_with_colour_profiles_is_looked_at() -> None:
    """PyAV frees the name of the profile twice; whoever reads it beside the frame falls over."""
    film = film_of_pngs()
    assert b"iCCP" in film
    with Room() as room:
        assert look(room, film).outcome == "looked at"
        assert not look(room, dict(corpus.bombs())["png profile that inflates"]).crashed


class Bringing:
    """Says that only the beginning is here, and has every part that is asked for."""

    trouble = None

    def __init__(self, size: int) -> None:
        self._size = size
        self.held: tuple[Range, ...] = ((0, min(size, STEP)),)

    def fill(self, place: int) -> Range | None:
        return (place, min(place + STEP, self._size)) if place < self._size else None


STEP = 4096


def test_in_parts_it_ends_as_it_does_whole() -> None:
    files = [*corpus.two_faced(), *islice(corpus.structured(), 5, None, EVERY)]
    with Room() as room:
        ends = {
            name: (look(room, data), look(room, data, Bringing(len(data)))) for name, data in files
        }
    different = {name for name, (whole, parts) in ends.items() if whole.outcome != parts.outcome}
    assert different == set()
