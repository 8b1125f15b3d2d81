"""The strong peer of `bench scan`: plain Celery over good parts, as one would compose it today.

Two prefork processes read with PyAV's own threads and run CenterFace on every frame until they
have N faces; one process holds the model in bf16, channels_last, and takes a film's N frames as
one batch. Faces go from one to the other through a file. There is no ledger, no sandbox, no guard
and no retry.
"""

import os
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
from celery import Celery, chain, group

from producer.local import redis_server
from producer.local.child import Child
from unmask.media.faces import detector
from unmask.media.values import Box

BROKER, MODEL = "COMPOSED_REDIS", "COMPOSED_MODEL"
EXTRACT, CLASSIFY = "composed.extract", "composed.classify"
PROCESSES = THREADS = 2
SIDE, DETECTOR_PX, MARGIN = 112, 640, 1.2
PATIENCE_S = 240

app = Celery("composed", broker=os.environ.get(BROKER), backend=os.environ.get(BROKER))
app.conf.update(worker_prefetch_multiplier=1, task_ignore_result=False)


@app.task(name=EXTRACT)
def extract(film: str, frames: int, target: str) -> str:
    cv2.setNumThreads(1)
    find, kept = detector("centerface"), []
    with av.open(film) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            scale = DETECTOR_PX / max(picture.shape)
            small = cv2.resize(picture, None, fx=scale, fy=scale)
            faces = find(np.asarray(small, dtype=np.uint8))
            if faces:
                largest = max(faces, key=lambda face: face.box.width * face.box.height)
                kept.append(_square(picture, largest.scaled(1 / scale, 1 / scale).box))
            if len(kept) == frames:
                break
    np.save(target, np.stack(kept))
    return target


def _square(picture: Any, box: Box) -> Any:
    side = max(box.width, box.height) * MARGIN
    left, top = box.x + (box.width - side) / 2, box.y + (box.height - side) / 2
    cut = picture[max(0, int(top)) : int(top + side), max(0, int(left)) : int(left + side)]
    return cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


@app.task(name=CLASSIFY)
def classify(faces: str) -> tuple[int, float]:
    import torch

    network = _network()
    frames = torch.from_numpy(np.load(faces)).permute(0, 3, 1, 2)
    mean, deviation = (torch.tensor(v)[:, None, None] for v in _NORMAL)
    pictures = ((frames / 255 - mean) / deviation).bfloat16()
    with torch.inference_mode():
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        features = network.trunk(pictures).mean(dim=(2, 3))
        states = network.lstm(features[None].to(network.lstm.weight_ih_l0.dtype))[0]
        fake = network.linear(states.float().mean(dim=1)).softmax(dim=1)[0, 0]
    return len(frames), float(fake)


_NORMAL = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@cache
def _network() -> Any:
    import torch

    from unmask.model.predict import build
    from unmask.model.shelf import find_bundle

    torch.set_num_threads(THREADS)
    network = build(find_bundle(os.environ[MODEL]))
    # torch's LSTM is quicker in float32 than in bf16 on a CPU.
    network.trunk.to(torch.bfloat16)
    for weights in network.trunk.parameters():
        if weights.dim() == 4:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    return network


class Composed:
    """Its Redis and its workers, up between enter and exit."""

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        port, password = redis_server.free_port(), redis_server.make_password()
        self._url = f"redis://:{password}@127.0.0.1:{port}/0"
        # Else its threads wait by spinning, on cores that its other processes need.
        waiting = {"OMP_WAIT_POLICY": "PASSIVE"}
        self._environment = os.environ | waiting | {BROKER: self._url, MODEL: model}
        self._redis = Child(
            "redis",
            [redis_server.server_program(), "-"],
            environment=self._environment,
            logs=folder,
            stdin=f'port {port}\nbind 127.0.0.1\nrequirepass {password}\nsave ""\n'.encode(),
        )
        extract = ["-Q", EXTRACT, "-P", "prefork", "-c", str(PROCESSES), "-n", "extract@%h"]
        judge = ["-Q", CLASSIFY, "-P", "solo", "-n", "classify@%h"]
        self._workers = [self._worker("extract", extract), self._worker("classify", judge)]

    def __enter__(self) -> Self:
        self._redis.start()
        redis_server.wait_until_up(self._url)
        for worker in self._workers:
            worker.start()
        app.conf.update(broker_url=self._url, result_backend=self._url)
        return self

    def __exit__(self, *_: object) -> None:
        for child in (*self._workers, self._redis):
            child.ask_to_stop()
            child.wait(time.monotonic() + 5)

    def seconds(self, films: Sequence[Path], length: int) -> float:
        """From sending all of them to the last answer."""
        work = group(
            chain(
                extract.s(str(film), length, str(self._folder / f"{number}.npy")).set(
                    queue=EXTRACT
                ),
                classify.s().set(queue=CLASSIFY),
            )
            for number, film in enumerate(films)
        )
        started = time.perf_counter()
        answers = work.apply_async().get(timeout=PATIENCE_S, interval=0.02)
        took = time.perf_counter() - started
        if [frames for frames, _ in answers] != [length] * len(films):
            raise SystemExit(f"composed: not {length} frames of each film: {answers}")
        return took

    def _worker(self, name: str, options: Sequence[str]) -> Child:
        alone = ("--without-mingle", "--without-gossip")
        start = [sys.executable, "-m", "celery", "-A", "bench.composed", "worker", *alone, *options]
        return self._child(name, start)

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name, command, environment=self._environment, logs=self._folder)
