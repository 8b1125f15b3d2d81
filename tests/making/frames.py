"""One face frame, where a test does not care what is in it."""

from unmask.media.values import Box, FaceFrame


def a_frame(*, window: int = 0, time_s: float = 0.0, length: int = 0, side: int = 50) -> FaceFrame:
    return FaceFrame(
        window=window,
        time_s=time_s,
        box=Box(x=0, y=0, width=side, height=side),
        face_px=side,
        sharpness=1.0,
        detected=True,
        offset=0,
        length=length,
    )
