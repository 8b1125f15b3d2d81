"""Items whose clips lie in a store, read as a GPU worker reads them."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from bench.timing import alternating
from infra.objects import FolderStore, clip_key, manifest_key
from schemas.records import Campaign, CampaignOptions, Claim, Extraction, Trust
from schemas.stages import Stage
from tasks.batcher import LOADERS
from tasks.load import Loaded, load
from unmask.media.coding import encode
from unmask.media.values import Box, FaceFrame, Manifest, MediaInfo, Person
from unmask.model.bundle import Bundle
from unmask.model.loading import ahead
from unmask.model.predict import Predictor
from unmask.spec import ScanSpec

ITEMS, ITEMS_PER_BATCH = 16, 4
WINDOWS, FRAMES = 7, 20


class StoredItems:
    """Sixteen items of one person each, with the clips a scan would have cut."""

    def __init__(self, bundle: Bundle) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self._store = FolderStore(Path(self._folder.name))
        options = CampaignOptions(
            name="bench", model=bundle.name, model_digest=bundle.digest, spec=bundle.spec
        )
        campaign = Campaign(
            id=1, options=options, state="running", reason="", created_at=datetime.now(UTC)
        )
        claims = [self._claim(item, campaign) for item in range(ITEMS)]
        self._batches = [
            claims[start : start + ITEMS_PER_BATCH] for start in range(0, ITEMS, ITEMS_PER_BATCH)
        ]

    def figures(self, predictor: Predictor, runs: int) -> dict[str, float]:
        in_memory = [[load(claim, self._store) for claim in batch] for batch in self._batches]
        frames = sum(item.frames for batch in in_memory for item in batch)
        seconds = alternating(
            {
                "memory": lambda: _score(predictor, iter(in_memory)),
                "store": lambda: self._score_from_store(predictor),
            },
            runs,
        )
        return {
            "memory_frames_per_s": frames / seconds["memory"],
            "store_frames_per_s": frames / seconds["store"],
            "ratio_store": seconds["memory"] / seconds["store"],
        }

    def _score_from_store(self, predictor: Predictor) -> None:
        """One batch ahead, its items on as many threads as in the worker."""
        with ThreadPoolExecutor(LOADERS) as pool:

            def loaded(batch: list[Claim]) -> list[Loaded]:
                return list(pool.map(lambda claim: load(claim, self._store), batch))

            _score(predictor, ahead(self._batches, loaded, depth=1))

    def _claim(self, item: int, campaign: Campaign) -> Claim:
        spec, sha256 = campaign.options.spec, hashlib.sha256(bytes([item])).hexdigest()
        person, data = _clip(item, spec)
        manifest = Manifest(
            media=MediaInfo(kind="video", container="mp4", codec="h264", width=1280, height=720),
            spec_digest=spec.digest,
            size=spec.size,
            persons=(person,),
        ).to_bytes()
        digest = hashlib.sha256(manifest).hexdigest()
        clip = clip_key(sha256, spec.digest, person=0, clip_sha256=person.clip_sha256)
        page = manifest_key(sha256, spec.digest, manifest_sha256=digest)
        extraction = Extraction(
            sha256=sha256,
            spec_digest=spec.digest,
            manifest=self._store.put(page, manifest),
            clips=(self._store.put(clip, data),),
        )
        return Claim(
            item=item,
            fence=1,
            stage=Stage.CLASSIFYING,
            owner="bench",
            attempt=1,
            uri=f"bench:{item}",
            trust=Trust.LOCAL,
            stamp="",
            campaign=campaign,
            extraction=extraction,
        )


def _score(predictor: Predictor, batches: Iterator[Sequence[Loaded]]) -> None:
    for batch in batches:
        predictor.score([person for item in batch for person in item.persons])


def _clip(seed: int, spec: ScanSpec) -> tuple[Person, bytes]:
    rng, size = np.random.default_rng(seed), spec.size
    coarse = rng.integers(0, 256, (WINDOWS * FRAMES, size // 8, size // 8, 3), dtype=np.uint8)
    faces = (np.asarray(cv2.resize(face, (size, size)), np.uint8) for face in coarse)
    coded = [encode(face, spec.coding) for face in faces]
    data = b"".join(coded)
    starts = np.cumsum([0, *map(len, coded)]).tolist()
    frames = tuple(
        FaceFrame(
            window=number // FRAMES,
            time_s=number * 0.04,
            box=Box(x=0, y=0, width=size, height=size),
            face_px=size,
            sharpness=1.0,
            detected=True,
            offset=start,
            length=len(picture),
        )
        for number, (start, picture) in enumerate(zip(starts, coded, strict=False))
    )
    digest = hashlib.sha256(data).hexdigest()
    return Person(person=0, clip_sha256=digest, clip_bytes=len(data), frames=frames), data
