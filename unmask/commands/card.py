"""`unmask card MODEL EVALUATION…`: writes a bundle's model card from what was measured."""

import json
from pathlib import Path
from typing import Annotated

import typer

from unmask.commands.told import told
from unmask.errors import Unusable
from unmask.model.shelf import find_bundle

Model = Annotated[str, typer.Argument(help="a bundle's folder, or a shipped one's name")]
Reports = Annotated[
    list[Path] | None,
    typer.Argument(help="evaluation.json of `unmask evaluate`, one or more", exists=True),
]


def card(model: Model, reports: Reports = None) -> None:
    """Write CARD.md into the model's folder; digests do not change."""
    from unmask.train.cards import CARD_FILE
    from unmask.train.cards import card as written

    with told():
        bundle = find_bundle(model)
        found = [json.loads(path.read_text()) for path in reports or ()]
        if any(each["model"]["digest"] != bundle.digest for each in found):
            raise Unusable("an evaluation is of another model; evaluate this one")
    target = bundle.folder / CARD_FILE
    target.write_text(written(bundle, found), encoding="utf-8")
    typer.echo(f"written: {target}")
