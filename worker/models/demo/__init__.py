"""The demo model: a tiny FLUX.1-Kontext that was trained here, and comes with the package."""

from pathlib import Path
from typing import Final

#: In diffusers' own layout: bf16 safetensors, and a model card. `worker.models.demo.train` made it.
CHECKPOINT: Final = Path(__file__).parent / "checkpoint"
