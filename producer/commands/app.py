"""All commands, in the order in which a person meets them."""

import typer

from producer.commands import campaign, machine, rescan, scan, submit

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
app.command("scan")(scan.scan)
app.command("submit")(submit.submit)
app.command("status")(campaign.status)
app.command("report")(campaign.report)
app.command("rescan")(rescan.rescan)
app.command("changes")(rescan.changes)
app.command("requeue")(campaign.requeue)
app.command("cancel")(campaign.cancel)
app.command("resume")(campaign.resume)
app.command("erase")(campaign.erase)
app.command("migrate")(machine.migrate)
app.command("doctor")(machine.doctor)
