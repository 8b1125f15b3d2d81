"""File endings: which are plainly media, which plainly are not, and which lists are read."""

from pathlib import PurePath

from unmask.media.suffixes import MEDIA


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Left out of a folder and counted. A file of any other ending, or of none, is an item: whether it
#: is media is then seen from its bytes, and its row says so.
NOT_MEDIA = _words(
    # text, documents and tables
    ".txt .md .rst .pdf .doc .docx .odt .rtf .xls .xlsx .ods .ppt .pptx .odp .csv .tsv .json "
    ".jsonl .ndjson .parquet .xml .html .htm .css .yml .yaml .toml .ini .cfg .conf .log .tex "
    # what stands beside media
    ".srt .vtt .ass .sub .idx .nfo .xmp .aae .thm .m3u .m3u8 .pls .cue .url .lnk .torrent .part "
    # programs and their leavings
    ".py .pyc .ipynb .js .sh .bat .ps1 .c .h .cpp .rs .go .java .class .so .dll .exe .o .a .db "
    ".sqlite .sqlite3 .lock .bak .tmp .swp .npy .npz .pt .pth .onnx .safetensors .pkl .h5 "
    # archives and sums
    ".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst .iso .md5 .sha1 .sha256 .sig .asc"
)
#: Files that have no ending and plainly are no media.
NOT_MEDIA_NAMES = _words("readme license licence copying makefile thumbs.db desktop.ini")

LISTS = _words(".txt .lst .list .urls")
TABLES = {".csv": None, ".tsv": "\t", ".tab": "\t"}
JSON_LINES = frozenset((".jsonl", ".ndjson"))
PARQUET = frozenset((".parquet", ".pq"))

#: What to do with a file that somebody may take for a list.
ADVICE = {
    ".json": "save it with one JSON object a line, as .jsonl",
    ".xlsx": "save the sheet as .csv",
    ".xls": "save the sheet as .csv",
    ".ods": "save the sheet as .csv",
    ".zip": "unpack it and name the folder",
    ".gz": "unpack it first",
}


def ending(name: str) -> str:
    """`.mp4` for `Talk.MP4`; empty where there is none."""
    return PurePath(name).suffix.lower()


def plainly_no_media(name: str) -> bool:
    return ending(name) in NOT_MEDIA or name.lower() in NOT_MEDIA_NAMES


def is_media_name(name: str) -> bool:
    return ending(name.partition("?")[0].strip()) in MEDIA
