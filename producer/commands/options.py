"""Options that several commands share, each explained once."""

from pathlib import Path
from typing import Annotated

import typer

from producer.campaigns import Wanted
from producer.card import AUTO
from schemas.records import Priority
from unmask.spec import SEQUENCE_LENGTHS, Coding

Media = Annotated[
    str,
    typer.Argument(
        help="A folder (with all below it), a file, a list (.txt .csv .tsv .jsonl .parquet), "
        "an http(s) address, s3://bucket/prefix, or - for a list on stdin."
    ),
]
CampaignName = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        "-c",
        help="Name of the campaign; made from media and options if left out. For a list on "
        "stdin it is made from the first line, so name it.",
    ),
]
Campaign = Annotated[str, typer.Option("--campaign", "-c", help="Name of the campaign.")]
Column = Annotated[
    str | None,
    typer.Option(help="Column of a table that holds the addresses; guessed if left out."),
]
Root = Annotated[
    Path | None,
    typer.Option(help="A list or stdin may name files below this folder, not only below its own."),
]
Model = Annotated[
    str, typer.Option(help="A bundle: its name in models/, or its folder. auto: by device.")
]
Frames = Annotated[
    int | None,
    typer.Option(
        help="Sequence length, in face frames: one of "
        f"{', '.join(map(str, SEQUENCE_LENGTHS))}; as the model asks if left out."
    ),
]
First = Annotated[
    bool,
    typer.Option(
        "--first",
        help="Look at the first --frames face frames of a film only: quick, and blind to the rest.",
    ),
]
Stride = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Look at every k-th frame from the beginning, until --frames of them show a face.",
    ),
]
ClipCoding = Annotated[
    Coding | None,
    typer.Option(
        "--coding",
        help="How stored clips are coded: qoi keeps every bit, jpeg444-q90 takes a fifth of the "
        "room and may move a probability by a few hundredths. Left out: as the model asks.",
    ),
]
ExtractOnly = Annotated[
    bool, typer.Option("--extract-only", help="Store the clips; ask for no verdict.")
]
KeepClips = Annotated[
    float | None,
    typer.Option(
        "--keep-clips", min=0, help="Days for which clips are kept after an item has ended."
    ),
]
KeepEvidence = Annotated[
    float | None, typer.Option("--keep-evidence", min=0, help="The same for evidence pictures.")
]
Out = Annotated[
    Path | None, typer.Option(help="Folder of the results; results/CAMPAIGN if left out.")
]
State = Annotated[Path, typer.Option(help="Folder of the one-machine ledger, objects and logs.")]


def _priority(word: str) -> Priority:
    names = {one.name.lower(): one for one in Priority}
    if word not in names:
        raise typer.BadParameter(f"{word} is none of {', '.join(names)}")
    return names[word]


PriorityOption = Annotated[
    Priority | None,
    typer.Option(
        help="live, normal or bulk: live items go before all others. Left out: as the campaign "
        "has it, a new one normal.",
        parser=_priority,
        metavar="PRIORITY",
    ),
]


def wanted(
    *,
    model: str = AUTO,
    frames: int | None = None,
    first: bool = False,
    stride: int | None = None,
    coding: Coding | None = None,
    priority: Priority | None = None,
    extract_only: bool = False,
    keep_clips: float | None = None,
    keep_evidence: float | None = None,
) -> Wanted:
    if frames is not None and frames not in SEQUENCE_LENGTHS:
        raise typer.BadParameter(
            f"{frames}: choose one of {', '.join(map(str, SEQUENCE_LENGTHS))}",
            param_hint="--frames",
        )
    if first and stride:
        raise typer.BadParameter("--first and --stride exclude each other", param_hint="--stride")
    return Wanted(
        model=model,
        frames=frames,
        first=first,
        stride=stride,
        coding=coding,
        priority=priority,
        extract_only=extract_only,
        keep_clips_days=keep_clips,
        keep_evidence_days=keep_evidence,
    )
