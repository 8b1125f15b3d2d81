"""A file without its name: to FFmpeg, `frame%03d.png` means its neighbours too."""

import os
from typing import BinaryIO


class Nameless:
    """Reads and seeks, and that is all a decoder is given."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
