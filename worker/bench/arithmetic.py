"""What a device reaches, and the least time that a model's arithmetic takes on it; pure."""

from dataclasses import dataclass

from worker.contract.work import Operations


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What a device reaches in large matrix products. In operations per second."""

    #: In the type that the model runs in: bf16 on a GPU, fp32 on a CPU.
    plain: float
    #: In fp8 with a scale for every row; None where it cannot.
    fp8: float | None

    def floor(self, operations: Operations, *, fp8: bool) -> float:
        """Return the least seconds of operations, linear layers in fp8 or not; attention never is."""
        linear = self.fp8 if fp8 and self.fp8 is not None else self.plain
        return operations.linear / linear + operations.attention / self.plain
