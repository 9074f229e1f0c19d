"""Rate and host memory of loading a checkpoint, against diffusers' plain way: `python -m tests.bench.loading`.

The checkpoint has the real classes and random weights, most of them in the transformer. Each load is a process of its
own, the two ways in turn; the files are in the page cache for both.
"""

import json
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from diffusers import FluxKontextPipeline, FluxTransformer2DModel

from worker.models.demo import CHECKPOINT
from worker.models.pipelines.building import made_on
from worker.models.weights.loading import load_pipeline

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
DTYPE = torch.bfloat16 if DEVICE.type == "cuda" else torch.float32


def plain(folder: Path, device: torch.device) -> Any:
    """Load as the examples of diffusers do: into the host's memory, and from there onto the device."""
    return FluxKontextPipeline.from_pretrained(folder, dtype=DTYPE).to(device)


WAYS: dict[str, Callable[[Path, torch.device], Any]] = {"diffusers, plain": plain, "the worker's": load_pipeline}


def make(folder: Path, heads: int = 32) -> int:
    """Make a checkpoint whose transformer has 12 of Kontext's 57 blocks, 32 numbers a head wide; return its bytes."""
    pipeline = FluxKontextPipeline.from_pretrained(CHECKPOINT)
    config = {**pipeline.transformer.config, "num_layers": 4, "num_single_layers": 8, "num_attention_heads": heads}
    with made_on(DEVICE, DTYPE):
        pipeline.transformer = FluxTransformer2DModel.from_config(config)
    pipeline.to(DTYPE).save_pretrained(folder / "model")
    return sum(file.stat().st_size for file in (folder / "model").rglob("*.safetensors"))


def own_memory() -> int:
    """Return the bytes of this process' own memory: without the pages of files, which the host may drop."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return 1024 * int(line.split()[1])


def load(way: str, folder: Path) -> tuple[float, int]:
    """Load; return the seconds, and by how much the process' own memory grew at most, in bytes."""
    torch.zeros(1, device=DEVICE)  # a GPU's context takes seconds that are no loading
    before, sizes, is_done = own_memory(), [0], threading.Event()

    def sample() -> None:
        while not is_done.wait(0.002):
            sizes.append(own_memory())

    sampler = threading.Thread(target=sample)
    sampler.start()
    begun = time.perf_counter()
    pipeline = WAYS[way](folder, DEVICE)
    # Every weight is looked at: on a CPU a file's pages would not even be read otherwise.
    for part in (pipeline.transformer, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2):
        assert sum(float(weight.sum()) for weight in part.parameters()) is not None
    took = time.perf_counter() - begun
    is_done.set()
    sampler.join()
    return took, max(sizes) - before


def main(rounds: int = 5) -> None:
    """Measure, and print a table."""
    seen: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with TemporaryDirectory() as name:
        size = make(Path(name))
        for _ in range(rounds):
            for way in WAYS:
                command = [sys.executable, "-m", "tests.bench.loading", way, f"{name}/model"]
                ended = subprocess.run(command, check=True, capture_output=True, text=True)
                seen[way].append(tuple(json.loads(ended.stdout.splitlines()[-1])))
    print(
        f"{platform.machine()}, {DEVICE}, torch {torch.__version__}, {size / 1e9:.2f} GB in {DTYPE}, {rounds} rounds\n"
    )
    print(
        "| way | GB/s (median) | GB/s (spread) | host's memory at the peak, of the weights' bytes |\n|---|---|---|---|"
    )
    for way, found in seen.items():
        rates = sorted(size / 1e9 / took for took, _ in found)
        memory = statistics.median(peak for _, peak in found) / size
        print(f"| {way} | {statistics.median(rates):.2f} | {rates[0]:.2f}-{rates[-1]:.2f} | {memory:.2f} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(load(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
