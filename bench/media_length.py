"""An hour of film against five minutes: time, and the memory of a process of its own."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from bench.films import RATE
from bench.media_parts import RUNS, Part, film_of


def long_film(folder: Path) -> Part:
    five, hour = (film_of(folder, minutes * 60 * RATE, 30) for minutes in (5, 60))
    runs = [(_alone(five), _alone(hour)) for _ in range(RUNS)]
    seconds = [statistics.median(run[side]["seconds"] for run in runs) for side in (0, 1)]
    peaks = [max(run[side]["peak_rss_mb"] for run in runs) for side in (0, 1)]
    return Part(
        lines=[
            "1080p, GOP 30, seven windows of 20 frames:",
            f" 5 minutes: {seconds[0]:.2f} s, at most {peaks[0]:.0f} MB",
            f"60 minutes: {seconds[1]:.2f} s, at most {peaks[1]:.0f} MB",
        ],
        figures={
            "ratio_hour": round(seconds[1] / seconds[0], 2),
            "peak_rss_mb": round(peaks[1]),
            "peak_rss_5min_mb": round(peaks[0]),
        },
    )


def _alone(film: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.media_once", str(film)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
