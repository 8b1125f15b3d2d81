"""When each picture is shown: seconds since the first one, and each later than the one before.

A decoder gives pictures in the order in which they are shown, so stamps that go back are wrong.
An AVI tells of each packet when it is decoded, and of no picture when it is shown; of H.264 whose
pictures are coded in another order a decoder then says:

    stamp of the picture             1  4  3  5  2  8
    of the packet that brought it    2  3  4  5  6  7
    told here, in frames             0  1  2  3  4  5
"""

from fractions import Fraction
from typing import Any

from av.video.frame import VideoFrame

from unmask.media.length import USUAL_RATE, frame_rate

#: Containers without a word on when a picture is shown.
_BY_PACKETS = frozenset({"avi"})
#: No coding shows a picture so many places, or so long, from where it was coded.
_REORDERED, _REORDERED_S = 16, 0.5
#: Where a frame has fewer ticks than this, a tick is counted in parts: a picture that has to be a
#: little later than the one before must not take the place of the next.
_FEW_TICKS, _PARTS = 8, 16
#: Before all ticks that a stamp can tell.
NEVER = -(1 << 64)


class Clock:
    """Follows a decoder from frame to frame, in parts of the ticks that its stamps are told in."""

    def __init__(self, stream: Any) -> None:
        #: Asked for once: each answer is a new fraction, which takes longer than all that is done
        #: to know a frame's moment.
        self._tick: Fraction = stream.time_base
        rate = float(frame_rate(stream) or USUAL_RATE)
        usual = max(1, round(1 / (rate * self._tick)))
        #: Of a tick.
        self._parts = _PARTS if usual < _FEW_TICKS else 1
        self._part = self._tick / self._parts
        self._usual = usual * self._parts
        self._by_packets = stream.container.format.name in _BY_PACKETS
        self._reordered = max(_REORDERED * self._usual, int(_REORDERED_S / self._part))
        #: How much oftener the stamps of pictures went back than those of packets.
        self._doubt = 0
        #: How often they went back after that; those of an AVI tell nothing from the beginning.
        self._wrong = int(self._by_packets)
        #: The stamp of the first picture; None where none has had one.
        self._zero: int | None = None
        #: What has to be added to a packet's stamp, as the first picture tells.
        self._lead = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """The next frame is the first one."""
        self._due = self._lasts = 0
        #: When the last picture begins, in seconds.
        self.now = 0.0
        self.jump()

    def jump(self) -> None:
        """The next frame may be any."""
        #: What has to be added since the film's own time began anew.
        self._moved = 0
        self._last = self._last_of_pictures = self._last_of_packets = NEVER

    @property
    def is_stamped(self) -> bool:
        """Else pictures are counted, and only from the first one on."""
        return self._zero is not None

    @property
    def until(self) -> float:
        """When the last picture ends, in seconds."""
        return self.now + seconds(self._lasts, self._part)

    def ticks(self, moment_s: float) -> int:
        return round(Fraction(moment_s) / self._tick) + (self._zero or 0)

    def moment(self, ticks: int) -> float:
        return seconds(ticks - (self._zero or 0), self._tick)

    def lost_since(self, begin: int | None) -> float:
        """Seconds from there to the first picture; an AVI's stamps tell of packets alone."""
        if begin is None or self._by_packets or not self.is_stamped:
            return 0.0
        return max(0.0, -self.moment(begin))

    def show(self, frame: VideoFrame) -> float:
        """To be told of each frame, once, as it comes.

        Says by how many seconds the film's own time went back, if farther than pictures are
        reordered: another film begins there, as where two were joined. It is counted on.
        """
        shown, decoded = frame.pts, frame.dts
        if self._zero is None:
            self._begin(shown, decoded)
        stamp = self._stamp(shown, decoded)
        at = self._due if stamp is None else self._place(stamp)
        back = 0
        if at <= self._last:
            back = self._set_back(at)
            at = self._due if back else self._last + 1
        self._last, self._lasts = at, (frame.duration or 0) * self._parts or self._usual
        self._due = at + self._usual
        self.now = seconds(at, self._part)
        return seconds(back, self._part) if back else 0.0

    def _place(self, stamp: int) -> int:
        return (stamp - (self._zero or 0)) * self._parts + self._moved

    def _set_back(self, at: int) -> int:
        if self._due - at <= self._reordered:
            return 0
        self._moved += self._due - at
        return self._due - at

    def _begin(self, shown: int | None, decoded: int | None) -> None:
        stamp = decoded if shown is None else shown
        if stamp is not None:
            self._zero = stamp - self._due // self._parts
        if shown is not None and decoded is not None:
            self._lead = shown - decoded

    def _stamp(self, shown: int | None, decoded: int | None) -> int | None:
        """The picture's own, until it goes back oftener than the packet's."""
        if not self._by_packets and shown is not None:
            if decoded is None:
                return shown
            self._doubt += (shown <= self._last_of_pictures) - (decoded <= self._last_of_packets)
            self._last_of_pictures, self._last_of_packets = shown, decoded
            self._by_packets = self._doubt > 0
            if not self._by_packets:
                return shown
            self._go_over_to_packets(decoded)
        elif shown is not None:
            self._wrong += shown <= self._last_of_pictures
            self._last_of_pictures = shown
        if decoded is not None:
            return decoded + self._lead
        return shown if self._is_right(shown) else None

    def _is_right(self, shown: int | None) -> bool:
        """The last pictures come without a packet; they are counted, where there is one before.

        But one stamp told twice makes no others wrong.
        """
        if shown is None or self._last == NEVER:
            return True
        return not self._wrong and self._place(shown) > self._last

    def _go_over_to_packets(self, decoded: int) -> None:
        """A stamp far ahead was wrong, then: time may go back behind it, and no film begins."""
        if self._last - self._place(decoded + self._lead) > self._reordered:
            self._last = NEVER


def seconds(ticks: int, tick: Fraction) -> float:
    """`float(ticks * tick)` to the last bit, without a fraction for each frame."""
    return ticks * tick.numerator / tick.denominator
