"""What a person may type, command by command: the last part of every `--help`."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "scan": (
        "scan",
        "scan ~/Videos",
        "scan clip.mp4 --first --frames 100",
        "scan film.mkv --stride 10 --frames 40",
        "scan cases.csv --column link --campaign june",
        "scan s3://archive/tapes/ --priority bulk",
        "scan ~/Videos --model lite --keep-clips 7 --keep-evidence 90",
        "scan - --campaign found --root /archive < list.txt",
    ),
    "submit": (
        "submit urls.csv --campaign june",
        "submit https://example.org/clip.mp4 --campaign now --priority live",
        "submit urls.parquet --column url --campaign june --stride 10 --frames 40",
        "submit s3://archive/tapes/ --campaign tapes --extract-only",
        "submit - --campaign found < urls.txt",
    ),
    "status": (
        "status",
        "status --campaign june --watch",
        "status --campaign june --json",
        "status --campaign june --dead",
    ),
    "report": ("report --campaign june", "report --campaign june --out /tmp/june"),
    "clips": ("clips --campaign tapes --out /data/tapes-clips",),
    "rescan": (
        "rescan --campaign june --model resnext50-lstm",
        "rescan --campaign june --model lite --name june-again --clips-only --yes",
    ),
    "changes": (
        "changes --since june --campaign june-resnext50-lstm",
        "changes --since june --campaign june-resnext50-lstm --json",
    ),
    "requeue": (
        "requeue --campaign june --outcome unreachable",
        "requeue --campaign june --outcome dead --outcome timed_out",
    ),
    "cancel": ("cancel --campaign june",),
    "resume": ("resume --campaign june",),
    "erase": ("erase --item 1234", "erase --item 1234 --person 2"),
    "migrate": ("migrate", "migrate --bucket"),
    "doctor": ("doctor", "doctor --json"),
}


def epilog(command: str) -> str:
    """Two spaces at the end keep each example on a line of its own."""
    lines = (f"python -m producer {example}" for example in EXAMPLES[command])
    return "  \n".join(("Examples:", *lines))
