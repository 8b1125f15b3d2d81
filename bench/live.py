"""`python -m bench live`: from `submit` to the row, for a live 10 s 720p clip.

Two cases side by side on one machine's fleet: nothing else to do, and behind a backlog of bulk
items. Every clip has other bytes, so that nothing is inherited. Printed: p50 and p95 in seconds.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import av

import settings
from infra.download import stamp_of
from infra.ledger import Ledger, migrate, open_ledger
from producer.campaigns import Wanted, choose
from producer.local import Machine
from schemas.records import Campaign, NewItem, Priority, Trust
from schemas.stages import ENDS

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "talking-head.mp4"
CLIP_S, WIDTH, HEIGHT = 10, 1280, 720
RUNS = 11
BACKLOG = 100_000
PATIENCE_S = 120


def make_clip(target: Path) -> None:
    """Ten seconds at 720p out of the sample, played forward and again."""
    with av.open(str(SAMPLE)) as source:
        rate = int(source.streams.video[0].average_rate or 25)
        frames = [
            frame.reformat(WIDTH, HEIGHT, "yuv420p").to_ndarray()
            for frame in source.decode(video=0)
        ]
    with av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(CLIP_S * rate):
            picture = av.VideoFrame.from_ndarray(frames[number % len(frames)], format="yuv420p")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def copies(clip: Path) -> Iterator[Path]:
    """The same pictures under other bytes: a box that players skip is appended."""
    data = clip.read_bytes()
    for number in count():
        target = clip.with_name(f"live-{number}.mp4")
        free = b"\x00\x00\x00\x10free" + number.to_bytes(8, "big")
        target.write_bytes(data + free)
        yield target


def seconds_to_row(machine: Machine, ledger: Ledger, campaign: Campaign, clip: Path) -> float:
    item = NewItem(uri=str(clip), trust=Trust.LOCAL, stamp=stamp_of(clip.stat()))
    before = sum(ledger.status(campaign.options.name).stages.get(end, 0) for end in ENDS)
    started = time.perf_counter()
    ledger.submit(campaign, [item])
    while time.perf_counter() - started < PATIENCE_S:
        machine.check()
        stages = ledger.status(campaign.options.name).stages
        if sum(stages.get(end, 0) for end in ENDS) > before:
            return time.perf_counter() - started
        time.sleep(0.02)
    raise SystemExit(f"{clip.name} had no row after {PATIENCE_S} s")


def backlog(ledger: Ledger, campaign: Campaign) -> None:
    """Addresses that the guard refuses: the cheapest real items there are."""
    ledger.submit(
        campaign,
        (
            NewItem(uri=f"http://127.0.0.1/{number}.mp4", trust=Trust.REMOTE)
            for number in range(BACKLOG)
        ),
    )


def measure(folder: Path) -> dict[str, list[float]]:
    state = folder / "state"
    state.mkdir()
    given = settings.load(
        database_url=f"sqlite:///{state / 'unmask.db'}", store_url=str(state / "objects")
    )
    migrate(given.database_url.get_secret_value())
    ledger = open_ledger(given.database_url.get_secret_value())
    shelf = given.models_dir
    live = ledger.open_campaign(
        choose(Wanted(priority=Priority.LIVE), name="live", media="-", shelf=shelf, device="auto")
    )
    bulk = ledger.open_campaign(
        choose(Wanted(priority=Priority.BULK), name="bulk", media="-", shelf=shelf, device="auto")
    )
    clip = folder / "clip.mp4"
    make_clip(clip)
    clips = copies(clip)
    with Machine(state, settings.environment(given)) as machine:
        machine.start()
        seconds_to_row(
            machine, ledger, live, next(clips)
        )  # everything is loaded once before it counts
        idle = [seconds_to_row(machine, ledger, live, next(clips)) for _ in range(RUNS)]
        backlog(ledger, bulk)
        behind = [seconds_to_row(machine, ledger, live, next(clips)) for _ in range(RUNS)]
        left = ledger.status("bulk").stages
    if not any(count for stage, count in left.items() if stage not in ENDS):
        raise SystemExit("the backlog was used up before the end: the second case says nothing")
    return {"idle": idle, f"behind {BACKLOG:,} bulk items": behind}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    figures: dict[str, float] = {}
    print(f"live {CLIP_S} s {HEIGHT}p clip, submit to row, {RUNS} runs each, seconds")
    for name, values in measured.items():
        p50, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"  {name:<28} p50 {p50:6.2f}   p95 {p95:6.2f}   worst {max(values):6.2f}")
        key = name.split()[0]
        figures |= {f"{key}_p50_s": round(p50, 3), f"{key}_p95_s": round(p95, 3)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
