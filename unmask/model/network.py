"""The network: trunk → LSTM over a window's frames → pooling → two logits.

Shapes: N frames in all, B windows, T frames in the longest, F features, W width.

    pictures (N, 3, S, S) ─trunk─▶ features (N, F) ─by window─▶ (B, T, F) + lengths (B,)
    ─LSTM─▶ states (B, T, W) ─linear─▶ logits per frame (B, T, 2) ─pooling─▶ logits (B, 2)

Frames never meet in the trunk and windows never meet in the LSTM, so no score depends on
what else is in the batch.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unmask.model.description import Architecture
from unmask.model.recurrent import is_quicker_stepwise, states_of_frames, states_over_time
from unmask.model.trunks import TRUNKS, make_trunk


class Scores(NamedTuple):
    """Per window, and what each frame's state alone would say."""

    logits: Tensor
    frame_logits: Tensor


class Network(nn.Module):
    """Built from a description; the same module trains and predicts."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        kind = TRUNKS[architecture.trunk]
        self.architecture = architecture
        self.trunk = make_trunk(architecture)
        self.lstm = nn.LSTM(
            kind.features, architecture.width, batch_first=True, bias=architecture.lstm_bias
        )
        self.attention = (
            nn.Linear(architecture.width, 1) if architecture.pooling == "attention" else None
        )
        self.dropout = nn.Dropout(architecture.dropout)
        self.linear = nn.Linear(architecture.width, 2)

    def features(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.trunk(pictures)
        return maps.mean(dim=(2, 3))

    def states(self, features: Tensor) -> Tensor:
        """(B, T, F) → (B, T, W). Padding stands behind the frames, so it can't reach them."""
        inputs = features.to(next(self.lstm.parameters()).dtype)
        over_time = self.architecture.recurrence == "time"
        if is_quicker_stepwise(inputs) and not self.training:
            states = (states_over_time if over_time else states_of_frames)(self.lstm, inputs)
        elif over_time:
            states = self.lstm(inputs)[0]
        else:
            states = self.lstm(inputs.reshape(-1, 1, inputs.shape[-1]))[0]
            states = states.reshape(*inputs.shape[:2], -1)
        return states.to(self.linear.weight.dtype)

    def score(self, features: Tensor, lengths: Tensor) -> Scores:
        states = self.states(features)
        weights = self._weights(states, lengths)
        pooled = (states * weights[..., None]).sum(dim=1)
        return Scores(self.linear(self.dropout(pooled)), self.linear(states))

    def forward(self, pictures: Tensor) -> Tensor:
        """Windows of one length: (B, T, 3, S, S) → logits (B, 2)."""
        count, length = pictures.shape[:2]
        features = self.features(pictures.flatten(0, 1)).reshape(count, length, -1)
        lengths = torch.full((count,), length, device=pictures.device)
        return self.score(features, lengths).logits

    def _weights(self, states: Tensor, lengths: Tensor) -> Tensor:
        """How much each frame counts, (B, T); frames beyond a window's length count nothing."""
        steps = torch.arange(states.shape[1], device=states.device)
        inside = steps < lengths[:, None]
        if self.attention is not None:
            importance: Tensor = self.attention(states)[..., 0]
            return importance.masked_fill(~inside, -torch.inf).softmax(dim=1)
        if self.architecture.pooling == "last":
            return (steps == lengths[:, None] - 1).to(states.dtype)
        return inside.to(states.dtype) / lengths[:, None].to(states.dtype)
