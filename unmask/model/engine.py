"""The network made fast on one device. What it computes is the same; how is decided here."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from unmask.model import plan
from unmask.model.description import Description
from unmask.model.device import DTYPES, Precision
from unmask.model.fold import fold
from unmask.model.loading import FrameLine, ahead, pinned
from unmask.model.memory import free_memory, halving, working_memory
from unmask.model.network import Network, Scores
from unmask.model.pixels import Pixels

Between = Callable[[], None]

#: Frames that go through the trunk together at most. On a CPU what matters is that a chunk's maps
#: stay in its caches, which are far smaller than its memory: that number was measured, and free
#: memory does not change it. On a GPU every multiprocessor should have work; above that, more
#: frames need only more memory, so there are fewer where less is free.
CHUNK = {"cpu": 32, "cuda": 1024}
#: Steps (windows × frames) that go through the LSTM together at most.
LSTM_STEPS = 16_384
#: Numbers of float32 that one step of the LSTM holds: its features twice (as they came, padded),
#: and of its width the four gates, the state, and the state once more for the pooling.
_STEP_FEATURES, _STEP_WIDTHS = 2, 6

P = TypeVar("P")
#: Free bytes of a device; None where they don't matter.
Free = Callable[[torch.device], int | None]


class Engine:
    """Trunk and LSTM on a device, in chunks and groups that shrink when memory is short."""

    def __init__(
        self,
        network: Network,
        description: Description,
        device: torch.device,
        precision: Precision,
        *,
        free: Free = free_memory,
    ) -> None:
        self.device = device
        self._free = free
        self.precision = precision
        self._dtype = DTYPES[precision]
        self._pixels = Pixels(description).to(device)
        self._trunk = self._placed(fold(network.trunk))
        self._network = network.to(device)
        network.lstm.to(self._dtype)
        self._side = description.spec.size
        #: What memory was too short for is not tried again.
        self._most_frames, self._most_steps = CHUNK[device.type], LSTM_STEPS

    def features(self, line: FrameLine, between: Between) -> Tensor:
        """(N, F) in float32, on the device. `between` is called before each chunk."""
        return self._through(line, self._run_trunk, between)

    def features_at_hand(self, frames: Tensor) -> Tensor:
        """The same for frames that lie on the device already, as bytes."""
        chunks = torch.split(frames, self._chunk())
        parts = [halving(chunk, self._run_trunk) for chunk in chunks]
        return torch.cat([features for part in parts for features in part])

    def maps(self, line: FrameLine, between: Between) -> Tensor:
        """The trunk's last stage for each frame, (N, C, s, s) in float32."""
        return self._through(line, self._run_maps, between)

    def score(self, windows: Sequence[Tensor], between: Between) -> Scores:
        """Features of each window → logits per window (B, 2) and per frame (all frames, 2)."""
        window_logits: dict[int, Tensor] = {}
        frame_logits: dict[int, Tensor] = {}
        for part in self._in_groups(windows, self._run_lstm, between):
            for window, logits, frames in part:
                window_logits[window], frame_logits[window] = logits, frames
        order = range(len(windows))
        return Scores(
            torch.stack([window_logits[window] for window in order]),
            torch.cat([frame_logits[window] for window in order]),
        )

    def _chunk(self) -> int:
        free = self._free(self.device)
        each = 0 if free is None else self._frame_bytes
        return plan.fitting(self._most_frames, each=each, free=free)

    def _steps(self) -> int:
        lstm = self._network.lstm
        numbers = _STEP_FEATURES * lstm.input_size + _STEP_WIDTHS * lstm.hidden_size
        return plan.fitting(self._most_steps, each=4 * numbers, free=self._free(self.device))

    @functools.cached_property
    def _frame_bytes(self) -> int:
        """What one frame needs in the trunk, taken from one of zeros."""
        zeros = torch.zeros(1, self._side, self._side, 3, dtype=torch.uint8)
        return working_memory(self._trunk, lambda: self._run_maps(zeros))

    def _placed(self, module: nn.Module) -> nn.Module:
        placed = module.to(self.device, self._dtype)
        for weights in placed.parameters():
            if weights.dim() == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        return placed

    def _loaded(self, line: FrameLine) -> Iterator[Tensor]:
        parts = plan.chunks(len(line), self._chunk())
        if self.device.type == "cpu":
            return (torch.from_numpy(line.gather(part)) for part in parts)
        return ahead(parts, lambda part: pinned(line.gather(part)))

    def reasons(self, windows: Sequence[Tensor], fake: int) -> list[Tensor]:
        """How the margin of each window changes with its features: (T, F) for (T, F)."""
        found: dict[int, Tensor] = {}

        def run(each: Sequence[Tensor], some: tuple[int, ...]) -> dict[int, Tensor]:
            return self._slopes(each, some, fake)

        for part in self._in_groups(windows, run):
            found |= part
        return [found[window] for window in range(len(windows))]

    def _in_groups(
        self,
        windows: Sequence[Tensor],
        run: Callable[[Sequence[Tensor], tuple[int, ...]], P],
        between: Between = lambda: None,
    ) -> Iterator[P]:
        for group in plan.groups([len(window) for window in windows], most=self._steps()):
            between()
            sizes: list[int] = []
            for part in halving(group.windows, lambda some: (len(some), run(windows, some))):
                sizes.append(part[0])
                yield part[1]
            if len(sizes) > 1:
                self._most_steps = min(self._most_steps, group.length * max(sizes))

    def _slopes(
        self, windows: Sequence[Tensor], some: tuple[int, ...], fake: int
    ) -> dict[int, Tensor]:
        lengths = [len(windows[window]) for window in some]
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            padded = pad_sequence([windows[window] for window in some], batch_first=True)
            leaf = padded.detach().requires_grad_()
            scores = self._network.score(leaf, torch.tensor(lengths, device=self.device))
            # Where every frame is judged alone, its own logits are what it has reasons for.
            alone = self._network.architecture.recurrence == "frame"
            logits = scores.frame_logits if alone else scores.logits
            # No window's margin depends on another's frames, so their sum has all the slopes.
            margin = (logits[..., fake] - logits[..., 1 - fake]).sum()
            [slopes] = torch.autograd.grad(margin, leaf)
        each = zip(some, slopes, lengths, strict=True)
        return {window: slope[:length] for window, slope, length in each}

    def _through(
        self, line: FrameLine, run: Callable[[Tensor], Tensor], between: Between
    ) -> Tensor:
        parts: list[Tensor] = []
        for frames in self._loaded(line):
            between()
            done = halving(frames, run)
            if len(done) > 1:
                self._most_frames = min(self._most_frames, max(map(len, done)))
            parts += done
        return torch.cat(parts)

    def _run_trunk(self, frames: Tensor) -> Tensor:
        return self._run_maps(frames).mean(dim=(2, 3))

    def _run_maps(self, frames: Tensor) -> Tensor:
        planes = self._pixels(frames.to(self.device, non_blocking=True))
        maps: Tensor = self._trunk(planes.to(self._dtype))
        return maps.float()

    def _run_lstm(
        self, windows: Sequence[Tensor], some: tuple[int, ...]
    ) -> list[tuple[int, Tensor, Tensor]]:
        lengths = [len(windows[window]) for window in some]
        padded = pad_sequence([windows[window] for window in some], batch_first=True)
        scores = self._network.score(padded, torch.tensor(lengths, device=self.device))
        frames = [
            logits[:length] for logits, length in zip(scores.frame_logits, lengths, strict=True)
        ]
        return list(zip(some, scores.logits, frames, strict=True))
