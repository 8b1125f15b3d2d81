"""What the room holds, whatever the file in it says."""

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class RoomLimits:
    #: Resident memory, the warmed-up library included; watched, since valid videos map much more.
    resident_bytes: int = 3 * GIB // 2
    #: Address space: a backstop against a single huge request between two looks.
    address_bytes: int = 6 * GIB
    #: Processor time, all threads together; None is twice the deadline.
    cpu_s: int | None = None
    #: The largest file it may write: only what decoders print, which is kept in memory.
    file_bytes: int = 64 << 10
    open_files: int = 64
    #: From the file's own deadline to the kill.
    grace_s: float = 0.5

    def __post_init__(self) -> None:
        if min(self.resident_bytes, self.address_bytes, self.open_files) <= 0 or self.grace_s < 0:
            raise ValueError(f"a limit is not positive: {self}")
