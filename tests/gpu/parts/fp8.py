"""Row-wise fp8 products at the token counts of several resolutions: two of these three are no multiple of 16."""

import torch
from torch import nn

from tests.gpu.notes import Notes, Refused
from tests.gpu.scene import Scene
from tests.gpu.timing import seconds_of
from worker.models.speed.device import dtype_on
from worker.models.speed.fp8 import RowwiseFP8Linear


@torch.no_grad()
def measure(scene: Scene, notes: Notes) -> None:
    """Note of each number of rows the error against the product that is not in fp8, and both rates."""
    # Where it should, what stands in its way is worth more than a sentence.
    if not scene.machine.has_fp8 and (scene.machine.capability or (0, 0)) < (8, 9):
        raise Refused(f"{scene.machine.name} does not multiply in fp8, or this build of PyTorch does not")
    columns, width = scene.either((3072, 9216), (64, 96))
    torch.manual_seed(3)
    linear = nn.Linear(columns, width, device=scene.device, dtype=dtype_on(scene.device))
    layer = RowwiseFP8Linear(linear)
    table = notes.table(
        f"A layer of {columns} to {width}, its input made fp8 in passes of their own (not compiled):",
        ["rows", "relative error", "ms", f"ms in {linear.weight.dtype}", "a row is itself beside others"],
    )
    for rows in scene.either((8704, 8690, 8692), (64, 50, 52)):
        x = torch.randn(rows, columns, device=scene.device, dtype=linear.weight.dtype)
        wanted, found = linear(x), layer(x)
        error = ((found - wanted).norm() / wanted.norm()).item()
        is_itself = torch.equal(layer(torch.cat((x[:1], x[1:] * 100)))[0], found[0])
        times = (1000 * seconds_of(lambda x=x: layer(x), scene), 1000 * seconds_of(lambda x=x: linear(x), scene))
        table.row(rows, f"{error:.4f}", *(f"{time:.3f}" for time in times), "yes" if is_itself else "no")
        notes.headline(f"{rows} rows and those before it: no crash, error {error:.3f}")
        if not (is_itself and 0.001 < error < 0.05):
            raise ValueError(f"the product of {rows} rows is wrong: error {error:.4f}, the row is itself: {is_itself}")
