"""Video through PyAV, from a file object that can open nothing else."""

from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn

import av
from av.video.frame import VideoFrame

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.claims import unopened
from unmask.media.holes import Holed
from unmask.media.length import USUAL_RATE, own_length
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
    "wtv,ivf,obu,av1,h264,hevc,vvc,vc1,m4v,mpegvideo,mjpeg,gif,apng,y4m,yuv4mpegpipe,wav,mp3,flac,"
    "aac,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,j2k_pipe,psd_pipe,pam_pipe,"
    "ppm_pipe,pgm_pipe,tga_pipe,dpx_pipe,exr_pipe,gif_pipe"
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

    def __init__(self, container: Any, stream: Any, budget: Budget, length_s: float | None) -> None:
        self._container = container
        self._budget = budget
        self._stream = stream
        self.left_aside = left_aside(container)
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = THREADS
        #: In ticks of the stream, as all its time stamps are, and asked for once: each answer is a
        #: new fraction, which takes longer than all else that is done to know a frame's moment.
        self._tick: Fraction = self._stream.time_base
        self._first_tick: int = self._stream.start_time or 0
        self._at_start = True
        #: When the last picture begins, and when it ends.
        self._now = self._shown_until = 0.0
        self._wanted = 0
        self._reorder_ticks = int(_REORDER_S / self._tick)
        self._waiting: VideoFrame | None = None
        self.frames_decoded = 0
        self.broken_packets = 0
        self.last_error = ""
        self.info = self._probe(length_s)

    def _probe(self, length_s: float | None) -> MediaInfo:
        context = self._stream.codec_context
        self._budget.check_size(context.width, context.height)
        self._budget.check_duration(length_s)
        frame = self._first_frame()
        view = to_picture(frame, 0.0, self._aspect, context.name).view
        rate = self._stream.average_rate
        return MediaInfo(
            kind=self._kind,
            container=self._container.format.name,
            codec=context.name,
            width=view.size[0],
            height=view.size[1],
            duration_s=None if self._kind == "picture" else length_s,
            frame_rate=float(rate) if rate else None,
            rotation=view.turns * 90,
        )

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
        self._shown_later = self._delay(frame)
        return frame

    def _delay(self, first: VideoFrame) -> int:
        """Ticks from a key frame's place in the index, where it is decoded, to where it is shown.

        Without them a window would begin just before its key frame, with the run-up of a whole
        group of pictures.
        """
        entries = self._stream.index_entries
        if first.pts is None or not len(entries):
            return 0
        return max(0, int(first.pts - entries[0].timestamp))

    @property
    def _aspect(self) -> float:
        ratio = self._stream.codec_context.sample_aspect_ratio or self._stream.sample_aspect_ratio
        return usable_aspect(float(ratio or 1))

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
        wanted = self._ticks(start_s) - self._shown_later
        found = entries.search_timestamp(wanted, backward=backward)
        if found < 0:
            return None
        shown = entries[found].timestamp + self._shown_later
        return seconds(shown - self._first_tick, self._tick)

    def pictures(self, start_s: float) -> Iterator[Picture]:
        """Every picture from that moment on, in order of time."""
        self._run_up_to(start_s)
        for frame in self._rest():
            time_s = self._time(frame)
            if time_s >= start_s - _SAME_MOMENT_S:
                yield to_picture(frame, time_s, self._aspect, self.info.codec)

    def _run_up_to(self, start_s: float) -> None:
        """Go there by the shorter way: on from here, or from the last key frame before it."""
        self._wanted = self._ticks(start_s)
        if start_s <= self._now:
            if start_s < self._now and not self._at_start:
                self._seek(start_s)
            return
        key = self._key_moment(start_s, backward=True)
        if key is None or key > self._now + _SAME_MOMENT_S:
            self._seek(start_s)

    def _ticks(self, moment_s: float) -> int:
        return round(Fraction(moment_s) / self._tick + self._first_tick)

    def _seek(self, start_s: float) -> None:
        """Where a file has no index, a seek may end behind the key frame it needs: farther back.

        At last to before everything: a transport stream is searched by when frames are decoded,
        and the first is decoded before its time.
        """
        for target in _farther_back(start_s):
            if not self._jump(target):
                return
            frame = self._waiting = next(self._frames, None)
            if frame is not None and self._time(frame) <= start_s + _SAME_MOMENT_S:
                return

    def _jump(self, target_s: float) -> bool:
        try:
            self._container.seek(self._ticks(target_s), stream=self._stream)
        except av.FFmpegError as error:
            self.last_error = error.strerror or "no words"
            return False
        self._waiting = None
        self._at_start = False
        self._frames = self._decode()
        return True

    def _rest(self) -> Iterator[VideoFrame]:
        """The decoder's frames; leaving off in the middle does not end the decoder."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            yield waiting
        while (frame := next(self._frames, None)) is not None:
            self._at_start = False
            yield frame

    def _time(self, frame: VideoFrame) -> float:
        if frame.pts is None:
            step = 1 / float(self._stream.average_rate or USUAL_RATE)
            self._now = self._now + step if self.frames_decoded > 1 else 0.0
        else:
            self._now = seconds(frame.pts - self._first_tick, self._tick)
            step = seconds(frame.duration, self._tick)
        self._shown_until = self._now + step
        return self._now

    def _decode(self) -> Generator[VideoFrame]:
        """Frames as they come; a packet that can't be decoded is counted and passed over."""
        broken, before = 0, self.frames_decoded
        for packet in self._packets():
            self._budget.check()
            self._skip_what_nobody_needs(packet)
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except av.FFmpegError as error:
                broken += 1
                self.broken_packets += 1
                self.last_error = error.strerror or "no words"
                if broken > _MAX_BROKEN:
                    return
                continue
            broken = 0
            for frame in frames:
                self._budget.check_size(frame.width, frame.height)
                self.frames_decoded += 1
                yield frame
        if self.frames_decoded > before:  # else a seek went too far, which tells nothing
            self._note_early_end()

    def _note_early_end(self) -> None:
        """A file cut off in the middle ends without an error; its header tells how long it was.

        The last picture may stay for long: a recorded screen on which nothing moves any more.
        """
        told = own_length(self._container, self._stream)
        if told and told - self._shown_until > _EARLY_END_S:
            self.broken_packets += 1
            self.last_error = f"it breaks off after {self._now:.2f} s of {told:.2f} s"

    def _skip_what_nobody_needs(self, packet: Any) -> None:
        """Far before the wanted moment, frames that no other frame refers to stay undecoded."""
        far = packet.pts is not None and packet.pts + self._reorder_ticks < self._wanted
        self._stream.codec_context.skip_frame = "NONREF" if far else "DEFAULT"

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as error:
            self.broken_packets += 1
            self.last_error = error.strerror or "no words"


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


def seconds(ticks: int, tick: Fraction) -> float:
    """`float(ticks * tick)` to the last bit, without a fraction for each frame."""
    return ticks * tick.numerator / tick.denominator


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
        raise unopened(file, error.strerror) from error
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
