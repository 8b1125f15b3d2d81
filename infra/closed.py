"""Folders and files of which other accounts of the machine see nothing."""

import os
from pathlib import Path

#: Faces, addresses and verdicts lie in them.
FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_closed(folder: Path | str) -> list[str]:
    """With the parents that are missing, closed too. What was there before keeps its mode.

    Tells which were made, the outermost first.
    """
    try:
        return _make(folder)
    except FileNotFoundError:
        return make_closed(os.path.dirname(folder)) + _make(folder)


def _make(folder: Path | str) -> list[str]:
    try:
        os.mkdir(folder, FOLDER_MODE)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
        return []
    return [str(folder)]
