"""All commands, in the order in which a person meets them."""

from collections.abc import Callable, Mapping

import typer

from producer.commands import campaign, machine, rescan, scan, submit
from producer.commands.examples import epilog

app = typer.Typer(
    name="producer",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help=(
        "Unmask scans media for deepfakes: every item ends in one typed verdict.\n\n"
        "On one machine `scan` does everything. On many, `submit` puts items into the ledger, "
        "the workers take them from there, and `status` and `report` read what became of them."
    ),
)
COMMANDS: Mapping[str, Callable[..., None]] = {
    "scan": scan.scan,
    "submit": submit.submit,
    "status": campaign.status,
    "report": campaign.report,
    "clips": campaign.clips,
    "rescan": rescan.rescan,
    "changes": rescan.changes,
    "requeue": campaign.requeue,
    "cancel": campaign.cancel,
    "resume": campaign.resume,
    "erase": campaign.erase,
    "migrate": machine.migrate,
    "doctor": machine.doctor,
}
for name, command in COMMANDS.items():
    app.command(name, epilog=epilog(name))(command)
