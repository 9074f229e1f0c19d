"""Requests for the tests that need one and not its contents."""

from typing import Any

from worker.contract.messages import EditRequest, Parameters
from worker.contract.sharing import SharedPart


def make_request(**given: Any) -> EditRequest:
    """Make a request of the demo model, with the given fields."""
    usual: dict[str, Any] = {
        "run": "0" * 16, "row": 7, "fingerprint": "a" * 32, "images": ("/a.png",), "prompt": "x",
        "negative_prompt": None, "true_cfg_scale": 1.0, "lora": (), "output_dir": "/run", "model": "demo", "steps": 8,
        "guidance": 3.5, "num_images": 2, "seed": 0, "size": "auto", "image_format": "png", "quality": 95,
        "metadata": True, "shard_folders": None, "long_instruction": "warn", "references": False, "profile": None,
        "task": "imageedit",
    }  # fmt: skip
    return EditRequest(**{**usual, **given})


def shared_of(request: EditRequest, *, base: str = "/") -> SharedPart:
    """Return a shared part from which a request differs in nothing."""
    return SharedPart(base=base, **{name: getattr(request, name) for name in Parameters.model_fields})
