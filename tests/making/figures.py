"""Scores that are known, and the report made of them."""

from typing import Any

from unmask.outcomes import Outcome
from unmask.train.figures import by_method, curve, levels, outcomes, reliability
from unmask.train.mistakes import worst
from unmask.train.scoring import Scored


def scored(
    name: str, method: str, score: float, group: str, *, without_time: float | None = None
) -> Scored:
    fake = method != "real"
    return Scored(
        name=name,
        method=method,
        fake=fake,
        group=group,
        frames=(score, score),
        windows=(score,),
        score=score,
        probability=score,
        outcome=Outcome.FAKE if score > 0.8 else Outcome.UNSURE if score > 0.3 else Outcome.REAL,
        without_time=without_time,
        source=f"{name}.mp4",
    )


ITEMS = [
    scored("a", "real", 0.1, "1", without_time=0.5),
    scored("b", "real", 0.4, "2", without_time=0.1),
    scored("c", "real", 0.9, "3", without_time=0.2),
    scored("d", "Deepfakes", 0.95, "1", without_time=0.4),
    scored("e", "Deepfakes", 0.85, "2", without_time=0.6),
    scored("f", "FaceSwap", 0.2, "3", without_time=0.6),
]


def whole() -> dict[str, Any]:
    every = levels(ITEMS)
    return {
        "model": {"name": "tiny", "digest": "0" * 64},
        "data": {
            "source": "made <up>", "part": "all", "items": 6, "real": 3, "fake": 3, "groups": 3
        },
        "levels": {name: each.figures(draws=20) for name, each in every.items()},
        "confusion": {name: each.confusion() for name, each in every.items()},
        "by method": by_method(ITEMS),
        "outcomes": outcomes(ITEMS),
        "reliability": reliability(ITEMS),
        "curve": curve(ITEMS),
        "worst mistakes": [
            {"source": one.source, "method": one.method, "said": one.said, "outcome": one.outcome}
            for one in worst(ITEMS)
        ],
    }  # fmt: skip
