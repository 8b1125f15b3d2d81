"""The stepwise LSTM gives torch's numbers."""

import pytest
import torch
from torch import nn

from unmask.model.recurrent import states_of_frames, states_over_time


@pytest.mark.parametrize("bias", [True, False])
def test_over_time_as_torch_does(bias: bool) -> None:
    torch.manual_seed(1)
    lstm, inputs = nn.LSTM(12, 7, batch_first=True, bias=bias), torch.randn(3, 9, 12)
    known = lstm(inputs)[0]
    assert torch.allclose(states_over_time(lstm, inputs), known, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_of_frames_alone_as_torch_does_with_one_frame(bias: bool) -> None:
    torch.manual_seed(2)
    lstm, inputs = nn.LSTM(12, 7, batch_first=True, bias=bias), torch.randn(3, 5, 12)
    known = torch.stack([lstm(inputs[:, t : t + 1])[0][:, 0] for t in range(5)], dim=1)
    assert torch.allclose(states_of_frames(lstm, inputs), known, atol=1e-6)


def test_gates_stay_exact_in_bf16() -> None:
    torch.manual_seed(3)
    lstm, inputs = nn.LSTM(64, 64, batch_first=True), torch.randn(2, 150, 64)
    known = lstm(inputs)[0].detach()
    half = nn.LSTM(64, 64, batch_first=True).bfloat16()
    half.load_state_dict(lstm.state_dict())
    with torch.no_grad():
        found = states_over_time(half, inputs.bfloat16())
    assert found.dtype == torch.float32
    assert float((found - known).abs().max()) < 0.02
