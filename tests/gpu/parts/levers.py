"""What torch's compiler can be told, side by side on two blocks of the real width: its price, and its roundings."""

from collections.abc import Mapping
from typing import Final

import torch

from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from tests.gpu.timing import seconds_of
from tests.support.wide import forward_of, two_blocks
from worker.contract.errors import one_line
from worker.models.speed.compiling import compile_blocks, compiler_settings
from worker.models.speed.fusing import fuse_projections

#: Settings of torch._inductor.config beside those of a worker. Precision casts are the roundings that eager makes
#: between two kernels, which a compiled one leaves out.
WAYS: Final[Mapping[str, Mapping[str, object]]] = {
    "as a worker has it": {},
    "shape_padding": {"shape_padding": True},
    "emulate_precision_casts": {"emulate_precision_casts": True},
}


@torch.no_grad()
def measure(
    scene: Scene, notes: Notes, backend: str = "inductor", ways: Mapping[str, Mapping[str, object]] = WAYS
) -> None:
    """Time a row of a square picture and of one whose tokens are no multiple of 16, and compare it with eager."""
    table = notes.table(
        "A double and a single block, one row:",
        ["compiler", "tokens", "ms", "of eager's time", "distance from eager, relative"],
    )
    for tokens in (64 * 64, 55 * 74) if scene.device.type == "cuda" else (63,):
        eager = forward_of(two_blocks(scene.device), tokens)
        plain, baseline = eager([0]).float(), seconds_of(lambda eager=eager: eager([0]), scene)
        said = list[str]()
        table.row("eager", tokens, f"{1000 * baseline:.3f}", "1", "0")
        for name, settings in ways.items():
            try:
                seconds, made = _compiled(scene, tokens, settings, backend)
            except Exception as error:  # whatever a setting comes to in this version of torch
                table.row(name, tokens, "does not work", "", one_line((str(error).splitlines() or ["?"])[0])[:120])
                continue
            distance = ((made - plain).norm() / plain.norm()).item()
            table.row(name, tokens, f"{1000 * seconds:.3f}", f"{seconds / baseline:.3f}", f"{distance:.2e}")
            said.append(f"{name} {seconds / baseline:.2f}")
        notes.headline(f"of eager's time, {tokens} tokens: {', '.join(said)}")


def _compiled(scene: Scene, tokens: int, settings: Mapping[str, object], backend: str) -> tuple[float, torch.Tensor]:
    transformer = two_blocks(scene.device)
    fuse_projections(transformer)
    compile_blocks(transformer, scene.kernels)
    if backend != "inductor":
        transformer.compile_repeated_blocks(fullgraph=True, dynamic=False, backend=backend)
    forward = forward_of(transformer, tokens)
    with compiler_settings(), torch._inductor.config.patch(dict(settings)):  # noqa: SLF001 - where torch documents it
        made = forward([0]).float()
        seconds = seconds_of(lambda: forward([0]), scene)
    torch.compiler.reset()
    return seconds, made
