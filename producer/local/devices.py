"""Which GPUs of this machine the workers of a run get."""

import os
import subprocess


def devices(workers: str) -> list[str]:
    """Return a CUDA device id per worker: "auto" means one per visible GPU; "" stands for the CPU."""
    visible = _visible_gpus()
    if workers == "auto":
        return visible or [""]
    # More workers than GPUs share them in turn.
    return [visible[number % len(visible)] if visible else "" for number in range(int(workers))]


def _visible_gpus() -> list[str]:
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [device for device in map(str.strip, named.split(",")) if device and device != "-1"]
    try:
        # The driver's own tool, since the producer has no torch to ask.
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True)  # noqa: S607 - on the PATH
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number, line in enumerate(listed.stdout.splitlines()) if line.startswith("GPU ")]
