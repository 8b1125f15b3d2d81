"""Folders and files of which other accounts of the machine see nothing."""

from pathlib import Path

#: Faces, addresses and verdicts lie in them.
FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_closed(folder: Path) -> None:
    """With the parents that are missing, closed too. What was there before keeps its mode."""
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    except FileNotFoundError:
        make_closed(folder.parent)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
