"""The pure library: media to face clips, clips to verdicts. No queue, database or settings."""

import os

# onnxruntime tells its maker of the machine it runs on as soon as it is imported. What is scanned
# here, and where, is nobody else's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
