"""Nothing that is scanned here is told to anybody."""

import os
import subprocess
import sys
from pathlib import Path


def test_loading_the_detectors_leaves_no_trace_of_telemetry(tmp_path: Path) -> None:
    """onnxruntime would write a device id and a queue of events into the home folder."""
    environment = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    loads = "import unmask.media.faces.centerface, sys; assert 'onnxruntime' in sys.modules"
    subprocess.run([sys.executable, "-c", loads], env=environment, check=True)
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name] == []
