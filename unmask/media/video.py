"""Video through PyAV, from a file object that can open nothing else."""

import errno
from collections.abc import Callable, Generator, Iterator
from typing import Any, BinaryIO, NoReturn

import av
from av.video.frame import VideoFrame

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.claims import unopened
from unmask.media.clock import NEVER, Clock
from unmask.media.holes import Holed
from unmask.media.length import frame_rate, own_length
from unmask.media.nameless import Nameless
from unmask.media.picture import Picture
from unmask.media.planes import to_picture, usable_aspect
from unmask.media.streams import has_pictures, left_aside
from unmask.media.values import MediaInfo, MediaKind
from unmask.outcomes import Outcome

#: Containers that hold their own bytes. Playlists and session descriptions, which name other
#: files or open sockets, are not among them.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,live_flv,asf,ogg,mxf,nut,dv,rm,"
    "wtv,ivf,obu,av1,h264,hevc,vvc,vc1,m4v,mpegvideo,mjpeg,gif,apng,yuv4mpegpipe,wav,mp3,flac,"
    "aac,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,j2k_pipe,psd_pipe,pam_pipe,"
    "ppm_pipe,pgm_pipe,dpx_pipe,exr_pipe,gif_pipe"
)
_CONFINED = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
#: Else FFmpeg walks through all fragments before the first picture, to know how long they are.
_UNWALKED = {"fflags": "+ignidx"}
_MP4, _IN_FRAGMENTS, _HEADER_BYTES = b"ftyp", b"mvex", 1 << 16
#: Decoder threads for one file.
THREADS = 2
_BUFFER_BYTES = 1 << 18
#: Broken packets in a row after which a stream counts as broken off.
_MAX_BROKEN = 200
#: Time stamps nearer than this are the same moment.
_SAME_MOMENT_S = 1e-6
#: Frames are decoded in another order than they are shown, within this time.
_REORDER_S = 0.5
#: So far before its goal a seek begins that went too far; twice as far each time.
_FIRST_BACK_S = 1.0
#: So long before the first picture nothing can lie that it needs.
_BEFORE_ALL_S = 60.0
#: A video that ends so much before its time has been cut off.
_EARLY_END_S = 1.0
#: Containers of moving pictures without sound.
_ANIMATIONS = frozenset({"gif", "apng"})
#: What FFmpeg calls a single picture that comes without a container.
_SINGLE = "_pipe"


class Video:
    """An opened video: what it says of itself, and its pictures from any moment on."""

    def __init__(
        self, stream: Any, budget: Budget, length_s: float | None, again: Callable[[], Any]
    ) -> None:
        self._budget = budget
        #: Opens the file anew, and gives its container.
        self._again = again
        self._read_from(stream)
        self.left_aside = left_aside(self._container)
        self._clock = Clock(stream)
        self._at_start = True
        self._can_seek = True
        #: In ticks; nothing is, until somebody asks for pictures.
        self._wanted = NEVER
        self._reorder_ticks = int(_REORDER_S / stream.time_base)
        self._waiting: VideoFrame | None = None
        self.frames_decoded = 0
        self.broken_packets = 0
        #: Where they lie: windows may be reached through the same packets.
        self._broken = set[object]()
        self.last_error = ""
        self.info = self._probe(length_s)

    def _read_from(self, stream: Any) -> None:
        self._stream, self._container = stream, stream.container
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = THREADS
        self._skipping = False

    def _probe(self, length_s: float | None) -> MediaInfo:
        context = self._stream.codec_context
        self._budget.check_size(context.width, context.height)
        self._budget.check_duration(length_s)
        frame = self._first_frame()
        self._container_aspect = self._told_aspect()
        view = self._first_picture(frame).view
        rate = None if self._kind == "picture" else frame_rate(self._stream)
        return MediaInfo(
            kind=self._kind,
            container=self._container.format.name,
            codec=context.name,
            width=view.size[0],
            height=view.size[1],
            duration_s=None if self._kind == "picture" else self._from_first_picture(length_s),
            frame_rate=float(rate) if rate else None,
            rotation=view.turns * 90,
        )

    def _from_first_picture(self, length_s: float | None) -> float | None:
        """A recording may begin inside a group of pictures: its first packets show none."""
        lost_s = self._clock.lost_since(self._stream.start_time)
        return length_s - lost_s if length_s is not None and lost_s < length_s else length_s

    @property
    def _kind(self) -> MediaKind:
        name: str = self._container.format.name
        if name.endswith(_SINGLE):
            return "picture"
        return "animation" if name in _ANIMATIONS else "video"

    def _first_frame(self) -> VideoFrame:
        """Decoded to see that it can be, and how it is turned; the reading goes on from here."""
        self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is None:
            words = self.last_error or "the file ends before the first picture"
            raise Refused(Outcome.UNDECODABLE, f"not one picture can be decoded: {words}")
        self._waiting = frame
        self._shown_later = self._delay()
        # Raw streams have no stamps: where a seek ended nobody could say.
        self._can_seek = self._clock.is_stamped
        return frame

    def _first_picture(self, frame: VideoFrame) -> Picture:
        try:
            return to_picture(frame, 0.0, self._aspect, self._stream.codec_context.name)
        except av.FFmpegError as error:
            layout, words = frame.format.name, error.strerror or "no words"
            raise Refused(
                Outcome.UNDECODABLE, f"its pictures can't be shown, a layout of {layout}: {words}"
            ) from error

    def _delay(self) -> int:
        """Ticks from a key frame's place in the index, where it is decoded, to where it is shown.

        Without them a window would begin just before its key frame, with the run-up of a whole
        group of pictures.
        """
        entries = self._stream.index_entries
        if not self._clock.is_stamped or not len(entries):
            return 0
        return max(0, int(self._clock.ticks(0.0) - entries[0].timestamp))

    def _told_aspect(self) -> float | None:
        """The container's word, which players follow; None where the coded pictures tell alone.

        Theirs may change on the way, as television changes from narrow to wide.
        """
        told, coded = self._stream.sample_aspect_ratio, self._stream.codec_context
        same = told == coded.sample_aspect_ratio
        return None if same or not told else usable_aspect(float(told))

    @property
    def _aspect(self) -> float:
        if self._container_aspect is not None:
            return self._container_aspect
        return usable_aspect(float(self._stream.codec_context.sample_aspect_ratio or 1))

    def close(self) -> None:
        """Pictures still in the decoder go now, not when Python next looks for cycles."""
        self._waiting = None
        self._frames.close()

    def near(self, start_s: float, slack_s: float) -> float:
        """The nearest moment at which decoding can begin without a run-up, if one is in reach."""
        nearby = [
            moment
            for backward in (True, False)
            if (moment := self._key_moment(start_s, backward)) is not None
            and abs(moment - start_s) <= slack_s
        ]
        return min(nearby, key=lambda moment: abs(moment - start_s), default=start_s)

    def _key_moment(self, start_s: float, backward: bool) -> float | None:
        """A key frame at or before, or at or after, as far as the file's index tells."""
        entries = self._stream.index_entries
        wanted = self._clock.ticks(start_s) - self._shown_later
        found = entries.search_timestamp(wanted, backward=backward)
        if found < 0:
            return None
        return self._clock.moment(entries[found].timestamp + self._shown_later)

    def pictures(self, start_s: float) -> Iterator[Picture]:
        """Every picture from that moment on, in order of time."""
        self._run_up_to(start_s)
        for frame in self._rest():
            time_s = self._clock.now
            if time_s < start_s - _SAME_MOMENT_S:
                continue
            try:
                picture = to_picture(frame, time_s, self._aspect, self.info.codec)
            except av.FFmpegError as error:
                self._pass_over(error, ("shown", time_s))
                continue
            yield picture

    def _run_up_to(self, start_s: float) -> None:
        """Go there by the shorter way: on from here, or from the last key frame before it."""
        self._wanted = self._clock.ticks(start_s)
        if start_s <= self._clock.now + _SAME_MOMENT_S:
            given_out = self._waiting is None
            if given_out or (start_s < self._clock.now and not self._at_start):
                self._seek(start_s)
            return
        key = self._key_moment(start_s, backward=True)
        if key is None or key > self._clock.now + _SAME_MOMENT_S:
            self._seek(start_s)

    def _seek(self, start_s: float) -> None:
        """Where a file has no index, a seek may end behind the key frame it needs: farther back.

        At last to before everything: a transport stream is searched by when frames are decoded,
        and the first is decoded before its time.
        """
        if not self._can_seek:
            if start_s <= self._clock.now + _SAME_MOMENT_S:
                self._begin_anew()
            return
        for target in _farther_back(start_s):
            if not self._jump(target):
                self._can_seek = False
                self._begin_anew()
                return
            frame = self._waiting = next(filter(_is_stamped, self._frames), None)
            if frame is not None and self._clock.now <= start_s + _SAME_MOMENT_S:
                return

    def _jump(self, target_s: float) -> bool:
        try:
            self._container.seek(self._clock.ticks(target_s), stream=self._stream)
        except av.FFmpegError:
            return False
        self._waiting = None
        self._at_start = False
        self._clock.jump()
        self._frames = self._decode()
        return True

    def _begin_anew(self) -> None:
        """Where nobody can seek: a film is read from its first picture on.

        A seek that failed has lost its place too, often to the end of the file.
        """
        index = self._stream.index
        self.close()
        self._container.close()
        self._read_from(self._again().streams[index])
        self._at_start = True
        self._clock.begin_anew()
        self._frames = self._decode()
        self._waiting = next(self._frames, None)

    def _rest(self) -> Iterator[VideoFrame]:
        """The decoder's frames; leaving off in the middle does not end the decoder."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            yield waiting
        while (frame := next(self._frames, None)) is not None:
            self._at_start = False
            yield frame

    def _decode(self) -> Generator[VideoFrame]:
        """Frames as they come; a packet that can't be decoded is counted and passed over."""
        broken, before = 0, self.frames_decoded
        for packet in self._packets():
            self._budget.check()
            self._skip_what_nobody_needs(packet)
            place = packet.pos, packet.dts
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except av.FFmpegError as error:
                broken += 1
                self._pass_over(error, place)
                if broken > _MAX_BROKEN:
                    return
                continue
            broken = 0
            for frame in frames:
                self._budget.check_size(frame.width, frame.height)
                self.frames_decoded += 1
                if back_s := self._clock.show(frame):
                    self._note_new_beginning(back_s, place)
                yield frame
        if self.frames_decoded > before:  # else a seek went too far, which tells nothing
            self._note_early_end()

    def _note_new_beginning(self, back_s: float, place: object) -> None:
        """Its header tells the length of one of the films, so the plan knew of no more."""
        now_s = self._clock.now
        self._note(
            f"its time goes back by {back_s:.2f} s after {now_s:.2f} s, as in joined films",
            ("begins", place),
        )

    def _note_early_end(self) -> None:
        """A file cut off in the middle ends without an error; its header tells how long it was.

        The last picture may stay for long: a recorded screen on which nothing moves any more.
        """
        told_s = own_length(self._container, self._stream)
        if not told_s:
            return
        begins = self._stream.start_time
        end_s = told_s + (0.0 if begins is None else self._clock.moment(begins))
        if end_s - self._clock.until > _EARLY_END_S:
            self._note(f"it breaks off after {self._clock.now:.2f} s of {end_s:.2f} s", "end")

    def _skip_what_nobody_needs(self, packet: Any) -> None:
        """Far before the wanted moment, frames that no other frame refers to stay undecoded."""
        far = packet.pts is not None and packet.pts + self._reorder_ticks < self._wanted
        if far is not self._skipping:
            self._skipping = far
            self._stream.codec_context.skip_frame = "NONREF" if far else "DEFAULT"

    def _packets(self) -> Iterator[Any]:
        place: object = None
        try:
            for packet in self._container.demux(self._stream):
                place = packet.pos, packet.dts
                yield packet
        except av.FFmpegError as error:
            self._pass_over(error, ("behind", place))

    def _pass_over(self, error: av.FFmpegError, place: object) -> None:
        self._note(error.strerror or "no words", place)

    def _note(self, words: str, place: object) -> None:
        """Each place counts once, however often reading comes by."""
        self._broken.add(place)
        self.broken_packets, self.last_error = len(self._broken), words


def _farther_back(start_s: float) -> Iterator[float]:
    """
    >>> list(_farther_back(5.0))
    [5.0, 4.0, 3.0, 1.0, 0.0, -60.0]
    """
    target, back = start_s, _FIRST_BACK_S
    while target > 0:
        yield target
        target, back = start_s - back, 2 * back
    yield 0.0
    yield -_BEFORE_ALL_S


def _is_stamped(frame: VideoFrame) -> bool:
    """After a seek nothing else tells where in the film it is."""
    return frame.pts is not None or frame.dts is not None


def open_container(file: BinaryIO, *, walk: bool = True) -> Any:
    """An opened container, or the typed reason why it is none.

    With `walk`, FFmpeg may go through the whole file to know how long it is.
    """
    file.seek(0)  # whoever looked at it before may have stopped anywhere
    try:
        container = av.open(
            Nameless(file),
            mode="r",
            io_open=_refuse,
            buffer_size=_BUFFER_BYTES,
            metadata_errors="replace",
            container_options=_CONFINED | ({} if walk else _UNWALKED),
        )
    except av.FFmpegError as error:
        raise unopened(
            file, error.strerror, is_of_another_kind=error.errno == errno.EINVAL
        ) from error
    if not container.streams:
        raise unopened(file, "it holds no stream")
    if container.streams.video and not any(map(has_pictures, container.streams.video)):
        raise _unseen(file, container)
    return container


def _unseen(file: BinaryIO, container: Any) -> Refused:
    """No decoder is no damage: another copy of it would not help."""
    if any(stream.codec_context is None for stream in container.streams.video):
        return Refused(Outcome.UNDECODABLE, "its pictures are coded in a way unknown here")
    return unopened(file, "its pictures have no size")


def tells_length(file: BinaryIO) -> bool:
    """Not where it comes in fragments of which only the first are here."""
    if not isinstance(file, Holed):
        return True
    file.seek(0)
    head = file.read(_HEADER_BYTES)
    file.seek(0)
    return head[4:8] != _MP4 or _IN_FRAGMENTS not in head


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError("a media file may not open another file")
