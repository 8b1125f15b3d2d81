"""Video through PyAV, from a file object that can open nothing else."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

import av
from av.video.frame import VideoFrame

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.claims import unopened
from unmask.media.picture import Picture
from unmask.media.planes import to_picture, usable_aspect
from unmask.media.values import MediaInfo
from unmask.outcomes import Outcome

#: Decoder threads for one file.
THREADS = 2
_BUFFER_BYTES = 1 << 18
_MICROSECONDS = 1_000_000
#: Broken packets in a row after which a stream counts as broken off.
_MAX_BROKEN = 200


class Video:
    """An opened video: what it says of itself, and its pictures from any moment on."""

    def __init__(self, container: Any, budget: Budget) -> None:
        self._container = container
        self._budget = budget
        self._stream = _video_stream(container)
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = THREADS
        self._start = (self._stream.start_time or 0) * self._stream.time_base
        self._at_start = True
        self._waiting: VideoFrame | None = None
        self.frames_decoded = 0
        self.broken_packets = 0
        self.last_error = ""
        self.info = self._probe()

    def _probe(self) -> MediaInfo:
        context = self._stream.codec_context
        self._budget.check_size(context.width, context.height)
        duration = _duration(self._container, self._stream)
        self._budget.check_duration(duration)
        frame = self._first_frame()
        view = to_picture(frame, 0.0, self._aspect).view
        rate = self._stream.average_rate
        return MediaInfo(
            kind="video",
            container=self._container.format.name,
            codec=context.name,
            width=view.size[0],
            height=view.size[1],
            duration_s=duration,
            frame_rate=float(rate) if rate else None,
            rotation=view.turns * 90,
        )

    def _first_frame(self) -> VideoFrame:
        """Decoded to see that it can be, and how it is turned; the reading goes on from here."""
        self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is None:
            words = self.last_error or "the file ends before the first picture"
            raise Refused(Outcome.UNDECODABLE, f"not one picture can be decoded: {words}")
        self._waiting = frame
        return frame

    @property
    def _aspect(self) -> float:
        ratio = self._stream.codec_context.sample_aspect_ratio or self._stream.sample_aspect_ratio
        return usable_aspect(float(ratio or 1))

    def pictures(self, start_s: float) -> Iterator[Picture]:
        """Every picture from that moment on, in order of time."""
        if start_s > 0:
            self._seek(start_s)
        for frame in self._rest():
            time_s = self._time(frame)
            if time_s >= start_s - 1e-6:
                yield to_picture(frame, time_s, self._aspect)

    def _seek(self, start_s: float) -> None:
        ticks = int((start_s + float(self._start)) / self._stream.time_base)
        try:
            self._container.seek(ticks, stream=self._stream)
        except av.FFmpegError as error:
            self.last_error = str(error)
            return
        self._waiting = None
        self._frames = self._decode()

    def _rest(self) -> Iterator[VideoFrame]:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            yield waiting
        yield from self._frames

    def _time(self, frame: VideoFrame) -> float:
        if frame.pts is None:
            return self.frames_decoded / float(self._stream.average_rate or 25)
        return float(frame.pts * (frame.time_base or self._stream.time_base) - self._start)

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames as they come; a packet that can't be decoded is counted and passed over."""
        broken = 0
        for packet in self._packets():
            self._budget.check_time()
            try:
                frames = packet.decode()
            except (av.InvalidDataError, av.EOFError) as error:
                broken += 1
                self.broken_packets += 1
                self.last_error = str(error)
                if broken > _MAX_BROKEN:
                    return
                continue
            broken = 0
            for frame in frames:
                self._budget.check_size(frame.width, frame.height)
                self.frames_decoded += 1
                yield frame

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as error:
            self.broken_packets += 1
            self.last_error = str(error)


def open_container(file: BinaryIO) -> Any:
    """An opened container, or the typed reason why it is none."""
    try:
        return av.open(
            file, mode="r", io_open=_refuse, buffer_size=_BUFFER_BYTES, metadata_errors="replace"
        )
    except av.FFmpegError as error:
        raise unopened(file, error) from error


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a media file may not open another file")


def _video_stream(container: Any) -> Any:
    streams = [stream for stream in container.streams.video if _is_picture_stream(stream)]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "no stream"
        raise Refused(Outcome.NOT_MEDIA, f"it holds no video ({kinds})")
    return max(streams, key=lambda stream: stream.frames)


def _is_picture_stream(stream: Any) -> bool:
    return stream.codec_context is not None and stream.codec_context.width > 0


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and container.duration > 0:
        return float(container.duration / _MICROSECONDS)
    return None
