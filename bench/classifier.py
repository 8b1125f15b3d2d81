"""`python -m bench classifier`: our way through the network against a corrected twin.

The twin has the same weights and no slips, and runs as one would write it: eager, float32, one
clip at a time, `batch_first`. On a CUDA card the same script runs with larger batches and says
which card it was; without one it runs small on the CPU with two threads.
"""

import json
import platform
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from bench.clips_in_store import StoredItems
from bench.timing import alternating, quiet
from unmask.model import plan
from unmask.model.bundle import Bundle
from unmask.model.clips import PersonFrames, Window
from unmask.model.device import choose_precision
from unmask.model.engine import LSTM_STEPS, Engine
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.predict import Predictor, build, load
from unmask.model.shelf import find_bundle

THREADS = 2
RUNS = 5
CLIP_FRAMES = 150
#: Clips scored together by us; the twin has one at a time.
CLIPS = {"cpu": 6, "cuda": 64}
#: Side of the square matrices whose product gives the machine's peak.
GEMM = {"cpu": 2048, "cuda": 8192}
#: Multiply-adds of one 112×112 frame in the trunk and in the LSTM's one step, in billions.
GMAC_TRUNK, GMAC_LSTM = 1.108, 0.0336
#: Clips whose order under bf16 is compared with their order under float32.
ORDERED = 32


def noise(frames: int, seed: int) -> Window:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (frames, 14, 14, 3), dtype=np.uint8)
    pictures = coarse.repeat(8, axis=1).repeat(8, axis=2)
    return Window(0, tuple(i / 30 for i in range(frames)), pictures)


class Twin:
    """Trunk, torch's own LSTM over time, pooling, linear: called as a notebook would."""

    def __init__(self, bundle: Bundle, device: str) -> None:
        self.network: Network = build(bundle).to(device)
        self.pixels = Pixels(bundle.description).to(device)
        self.device = device

    def margin(self, clip: Window) -> float:
        with torch.inference_mode():
            frames = torch.from_numpy(clip.frames).to(self.device)
            features = self.network.features(self.pixels(frames).contiguous())
            states = self.network.lstm(features[None])[0]
            logits = self.network.linear(states.mean(dim=1))[0]
            return float(logits[0] - logits[1])


def main() -> None:
    torch.set_num_threads(THREADS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    load_before = quiet()
    print(f"{_machine(device)}; {load_before}")
    large, light = find_bundle("resnext50-lstm"), find_bundle("lite")
    figures: dict[str, float] = {}
    parts: list[Callable[[], dict[str, float]]] = [
        lambda: speeds(large, light, device),
        lambda: from_device_memory(large, device),
        lambda: agreement(large, device),
        padding,
        lambda: StoredItems(light).figures(load(light, device), RUNS),
    ]
    for part in parts:
        found = part()
        for name, value in found.items():
            print(f"{name:<28}{value:>14,.4g}", flush=True)
        figures |= found
    print(json.dumps({"machine": _machine(device), "load": load_before, **figures}))


def speeds(large: Bundle, light: Bundle, device: str) -> dict[str, float]:
    clips = [noise(CLIP_FRAMES, seed) for seed in range(CLIPS[device])]
    twin, ours, lite = Twin(large, device), load(large, device), load(light, device)
    films = [PersonFrames(person=0, windows=(clip,)) for clip in clips]
    peak = gemm_peak(ours, device)
    seconds = alternating(
        {
            "twin": lambda: twin.margin(clips[0]),
            "ours": lambda: ours.margins(clips),
            "light": lambda: lite.margins(clips),
            "films": lambda: lite.score(films),
        },
        RUNS,
    )
    rate = {
        "twin": 1 / seconds["twin"],
        "ours": len(clips) / seconds["ours"],
        "light": len(clips) / seconds["light"],
        "films": len(clips) / seconds["films"],
    }
    done = rate["ours"] * CLIP_FRAMES * (GMAC_TRUNK + GMAC_LSTM) * 2
    return {
        "twin_clips_per_s": rate["twin"],
        "ours_clips_per_s": rate["ours"],
        "light_clips_per_s": rate["light"],
        "ours_frames_per_s": rate["ours"] * CLIP_FRAMES,
        "light_frames_per_s": rate["light"] * CLIP_FRAMES,
        "ratio_twin": rate["ours"] / rate["twin"],
        "ratio_light": rate["light"] / rate["twin"],
        #: With all networks that the light bundle asks about films.
        "ratio_light_films": rate["films"] / rate["twin"],
        "gemm_peak_gflops": peak,
        "share_of_gemm_peak": done / peak,
    }


def from_device_memory(bundle: Bundle, device: str) -> dict[str, float]:
    """Trunk and LSTM alone: the frames lie where they are needed, nothing is copied."""
    place = torch.device(device)
    engine = Engine(build(bundle), bundle.description, place, choose_precision(place))
    count = CLIPS[device] * CLIP_FRAMES
    side = bundle.spec.size
    frames = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, device=place)

    def score() -> Tensor:
        with torch.inference_mode():
            windows = torch.split(engine.features_at_hand(frames), CLIP_FRAMES)
            return engine.score(windows, lambda: None).logits.cpu()

    seconds = alternating({"device": score}, RUNS)["device"]
    return {"device_memory_frames_per_s": count / seconds}


def gemm_peak(predictor: Predictor, device: str) -> float:
    """GFLOP/s of one large product in the precision that we use."""
    side = GEMM[device]
    dtype = torch.bfloat16 if predictor.precision == "bf16" else torch.float32
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))

    def product() -> None:
        torch.mm(left, right)
        if device == "cuda":
            torch.cuda.synchronize()

    return 2 * side**3 / alternating({"gemm": product}, 5)["gemm"] / 1e9


def agreement(bundle: Bundle, device: str) -> dict[str, float]:
    """How far float32 is from the twin, and how well bf16 keeps the order of clips."""
    twin, exact, fast = Twin(bundle, device), load(bundle, device, "fp32"), load(bundle, device)
    clips = [noise(2, seed) for seed in range(ORDERED)]
    known = [margins.window for margins in exact.margins(clips)]
    off = max(
        abs(twin.margin(clip) - margin) for clip, margin in zip(clips[:8], known, strict=False)
    )
    found = [margins.window for margins in fast.margins(clips)]
    return {"fp32_off_by_logits": off, "fast_order_auc": order(found, known)}


def order(found: Sequence[float], known: Sequence[float]) -> float:
    """AUC of the fast scores where the exact ones, parted at their median, are the truth."""
    middle = float(np.median(known))
    high = [f for f, k in zip(found, known, strict=True) if k > middle]
    low = [f for f, k in zip(found, known, strict=True) if k <= middle]
    wins = sum((h > each) + 0.5 * (h == each) for h in high for each in low)
    return wins / (len(high) * len(low))


def padding() -> dict[str, float]:
    """Of a mixed batch: windows of every length from 5 to 150."""
    lengths = np.random.default_rng(0).integers(5, 151, 400).tolist()
    return {"padding_share": plan.padding_share(plan.groups(lengths, most=LSTM_STEPS), lengths)}


def _machine(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"no GPU here: {platform.processor() or platform.machine()}, {THREADS} threads"
