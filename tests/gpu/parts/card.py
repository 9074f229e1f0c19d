"""The card itself: what it is, and what it reaches in large products, in memory, and in attention by backend."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

from tests.gpu.cards import first_card
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from tests.gpu.timing import seconds_of
from worker.bench.ceiling import measure_rates
from worker.contract.errors import one_line
from worker.models.speed.device import dtype_on

_PACKAGES: Final = ("diffusers", "transformers", "triton", "flash-attn-3", "fa3-fwd")
_BACKENDS: Final = ("native", "_native_cudnn", "_native_flash", "_native_efficient", "_flash_3")

#: A layer's (columns, width): query, key and value of both, the first of the MLP, and a single block's last one.
_LAYERS: Final = ((3072, 9216), (3072, 12288), (15360, 3072))


@torch.no_grad()
def measure(scene: Scene, notes: Notes) -> None:
    """Note it all."""
    _versions(scene, notes)
    rates = measure_rates(scene.device)
    notes.fact("large products, TFLOP/s", f"{rates.plain / 1e12:.4g} in {dtype_on(scene.device)}")
    notes.fact("the same in fp8, a scale for each row", "none" if rates.fp8 is None else f"{rates.fp8 / 1e12:.4g}")
    fp8 = "" if rates.fp8 is None else f", {rates.fp8 / 1e12:.3g} in fp8"
    notes.headline(f"{rates.plain / 1e12:.3g} TFLOP/s{fp8}")
    _layers(scene, notes)
    _memory(scene, notes)
    _attention(scene, notes)


def _versions(scene: Scene, notes: Notes) -> None:
    notes.fact("device", scene.machine.name)
    notes.fact("by nvidia-smi", first_card())
    notes.fact("compute capability", scene.machine.capability)
    notes.fact("multiplies in fp8", scene.machine.has_fp8)
    notes.fact("what kernels are compiled with lacks", scene.machine.lacks_compiler or "nothing")
    notes.fact("torch", torch.__version__)
    notes.fact("CUDA, cuDNN", f"{torch.version.cuda}, {torch.backends.cudnn.version()}")
    for name in _PACKAGES:
        try:
            notes.fact(name, version(name))
        except PackageNotFoundError:
            notes.fact(name, "not installed")


def _layers(scene: Scene, notes: Notes) -> None:
    """Note the rate of the model's own layers, whose outputs fill the card's tiles worse than a square's."""
    table = notes.table(
        "Layers of the model, one picture of the square resolution:", ["from", "to", "tokens", "TFLOP/s"]
    )
    for columns, width in scene.either(_LAYERS, ((64, 192),)):
        for tokens in scene.either((8704, 8652), (128, 100)):
            x = torch.randn(tokens, columns, device=scene.device, dtype=dtype_on(scene.device))
            matrix = torch.randn(columns, width, device=scene.device, dtype=x.dtype)
            seconds = seconds_of(lambda x=x, matrix=matrix: x @ matrix, scene)
            table.row(columns, width, tokens, f"{2e-12 * tokens * columns * width / seconds:.4g}")


def _memory(scene: Scene, notes: Notes) -> None:
    numbers = torch.ones(scene.either(2**29, 2**20), device=scene.device, dtype=torch.int8)
    seconds = seconds_of(numbers.clone, scene)
    notes.fact("memory, GB/s read and written", f"{2e-9 * numbers.nbytes / seconds:.4g}")


def _attention(scene: Scene, notes: Notes) -> None:
    """Note the rate of each backend, or why it does not work; one that crashes ends the part here."""
    heads, width = scene.either((24, 128), (2, 32))
    table = notes.table("Attention of a picture, by diffusers' backends:", ["backend", "tokens", "ms", "TFLOP/s"])
    for name in _BACKENDS:
        for tokens in scene.either((8704, 8652, 2560), (256, 250)):
            shape = (1, tokens, heads, width)
            query, key, value = (
                torch.randn(shape, device=scene.device, dtype=dtype_on(scene.device)) for _ in range(3)
            )

            def attend(query: torch.Tensor = query, key: torch.Tensor = key, value: torch.Tensor = value) -> object:
                return dispatch_attention_fn(query, key, value, backend=AttentionBackendName(name))  # noqa: B023 - at once

            try:
                seconds = seconds_of(attend, scene)
            except Exception as error:  # whatever a package or its kernel comes to
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                table.row(name, tokens, "does not work", one_line(reason)[:120])
                break
            table.row(name, tokens, f"{1000 * seconds:.3f}", f"{4e-12 * tokens**2 * heads * width / seconds:.4g}")
