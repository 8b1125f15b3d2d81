"""A child process that never outlives its parent, with a log of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from infra.sandbox.kernel import die_with_parent

#: Last lines of a log that are shown when its process ends by itself.
TAIL_LINES = 12


class Child:
    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        logs: Path,
        stdin: bytes = b"",
    ) -> None:
        self.name, self.log = name, logs / f"{name}.log"
        self._command, self._environment, self._stdin = list(command), dict(environment), stdin
        self._process: subprocess.Popen[bytes] | None = None
        self.starts: list[float] = []

    def start(self) -> None:
        """Its own session, so that Ctrl-C reaches only the supervisor, who stops it in order."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.PIPE if self._stdin else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, signal.SIGTERM),  # noqa: PLW1509 - no lock
            )
        if self._process.stdin is not None:
            with self._process.stdin as pipe:
                pipe.write(self._stdin)
        self.starts.append(time.monotonic())

    def restart(self, environment: Mapping[str, str]) -> None:
        """Again, with another environment."""
        self._environment = dict(environment)
        self.start()

    @property
    def ended(self) -> int | None:
        """The exit status once it has ended."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        return -1 if self._process is None else self._process.pid

    def ask_to_stop(self) -> None:
        if self._process is not None and self.ended is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, until: float) -> None:
        """Until the moment at the latest; then it and all it started are killed."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._kill_session()
            self._process.wait()

    def _kill_session(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-TAIL_LINES:])
