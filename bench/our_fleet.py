"""Our own fleet on one machine, as `make scan` starts it, for comparisons from end to end."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import settings
from infra.download import stamp_of
from infra.ledger import migrate, open_ledger
from producer.campaigns import Wanted, choose
from producer.local import Machine
from schemas.records import Campaign, NewItem, Trust
from schemas.stages import ENDS

PATIENCE_S = 240
LOOK_EVERY_S = 0.02


class OurFleet:
    """Up between enter and exit; each length of windows is a campaign."""

    def __init__(self, state: Path, model: str) -> None:
        state.mkdir(parents=True)
        self._settings = settings.load(
            database_url=f"sqlite:///{state / 'unmask.db'}",
            store_url=str(state / "objects"),
            # As `make scan` chooses it: what the CPU workers leave of the cores.
            gpu_threads=int(os.environ.get("UNMASK_GPU_THREADS", "1")),
        )
        address = self._settings.database_url.get_secret_value()
        migrate(address)
        self._ledger, self._model = open_ledger(address), model
        self._machine = Machine(state, settings.environment(self._settings))

    def __enter__(self) -> Self:
        self._machine.__enter__()
        self._machine.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._machine.__exit__(*error)
        self._ledger.close()

    def seconds(self, films: Sequence[Path], length: int) -> float:
        """From submitting all of them to the last row."""
        campaign = self._campaign(length)
        name = campaign.options.name
        wanted = self._ended(name) + len(films)
        items = [
            NewItem(uri=str(film), trust=Trust.LOCAL, stamp=stamp_of(film.stat())) for film in films
        ]
        started = time.perf_counter()
        self._ledger.submit(campaign, items)
        while self._ended(name) < wanted:
            self._machine.check()
            time.sleep(LOOK_EVERY_S)
            if time.perf_counter() - started > PATIENCE_S:
                raise SystemExit(f"ours: {name} had no rows after {PATIENCE_S} s")
        took = time.perf_counter() - started
        self._check(name, length)
        return took

    def _campaign(self, length: int) -> Campaign:
        wanted = Wanted(model=self._model, frames=length, first=True)
        options = choose(
            wanted,
            name=f"first-{length}",
            media="-",
            shelf=self._settings.models_dir,
            device=self._settings.device,
        )
        return self._ledger.open_campaign(options)

    def _ended(self, name: str) -> int:
        stages = self._ledger.status(name).stages
        return sum(stages.get(end, 0) for end in ENDS)

    def _check(self, name: str, length: int) -> None:
        """A film that was not looked at whole would be quick."""
        for row in self._ledger.results(name):
            if row.frames_analysed != length or not row.persons:
                raise SystemExit(f"ours: {row.frames_analysed} of {length} frames: {row.reason}")
