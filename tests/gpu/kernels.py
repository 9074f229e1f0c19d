"""What a profiler's trace says of a step, pure: which kernels took it, of what kind, and how long none ran."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

GEMM, ATTENTION, POINTWISE, OTHER, GAPS = "GEMM", "attention", "pointwise", "other", "gaps"

#: By names of kernels and, of a CPU, of torch's operators; the first that matches counts. FlashAttention's kernels are
#: CUTLASS's, too, and a convolution is a product.
_KINDS: Final = (
    (ATTENTION, r"flash|fmha|sdpa|scaled_dot_product|attention"),
    (OTHER, r"^mem(cpy|set)|copy_device_to_device|catarray|^aten::(copy_|cat|clone|fill_|zero_|empty|view|as_strided)"),
    (GEMM, r"gemm|nvjet|cutlass|cublas|xmma|wgmma|splitk|conv|scaled_mm|triton_mm|^aten::(addmm|mm|bmm|linear|matmul)"),
    (POINTWISE, r"triton|elementwise|vectorized|reduce|norm|softmax|at::native|_cpp_fused|CompiledFxGraph|^aten::"),
)

#: Of a GPU's work; what else stands in its lanes are notes that enclose kernels, and would count them twice.
_ON_GPU: Final = {"kernel", "gpu_memcpy", "gpu_memset"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """All runs of one kernel."""

    name: str
    kind: str
    times: int
    #: In seconds, of all of them.
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Breakdown:
    """Where the time of a step went."""

    #: Seconds from the first kernel's begin to the last one's end.
    span: float
    #: Seconds by kind, and of those in which no kernel ran.
    kinds: Mapping[str, float]
    #: The longest first.
    kernels: Sequence[Kernel]


def kind_of(name: str) -> str:
    """Tell what a kernel does, by its name."""
    return next((kind for kind, pattern in _KINDS if re.search(pattern, name, re.IGNORECASE)), OTHER)


def breakdown(trace: Mapping[str, Any]) -> Breakdown:
    """Read a trace of Chrome's format, as torch writes it: of the GPU's kernels, or where there are none of operators.

    Raises:
        ValueError: it holds neither.

    """
    events = [event for event in trace["traceEvents"] if event.get("ph") == "X"]
    runs = [event for event in events if event.get("cat") in _ON_GPU]
    own = [(event["name"], event["dur"]) for event in runs]
    if not runs:
        runs = [event for event in events if event.get("cat") == "cpu_op"]
        own = _own_times(runs)
    if not runs:
        raise ValueError("the trace holds no kernel and no operator: the profiler saw nothing")
    # In microseconds.
    times = [(event["ts"], event["ts"] + event["dur"]) for event in runs]
    span = max(end for _, end in times) - min(begin for begin, _ in times)
    kinds = dict.fromkeys((GEMM, ATTENTION, POINTWISE, OTHER), 0.0)
    for name, took in own:
        kinds[kind_of(name)] += took / 1e6
    kinds[GAPS] = (span - _covered(times)) / 1e6
    return Breakdown(span=span / 1e6, kinds=kinds, kernels=_summed(own))


def _own_times(operators: Iterable[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Return each operator's name and the time that it spent in no other."""
    found: list[tuple[str, float]] = []
    open_: dict[Any, list[tuple[float, int]]] = {}  # by thread: ends and places of those that enclose what comes
    for event in sorted(operators, key=lambda event: (event["ts"], -event["dur"])):
        around = open_.setdefault(event.get("tid"), [])
        while around and around[-1][0] <= event["ts"]:
            around.pop()
        if around:
            name, own = found[around[-1][1]]
            found[around[-1][1]] = (name, max(0.0, own - event["dur"]))
        around.append((event["ts"] + event["dur"], len(found)))
        found.append((event["name"], event["dur"]))
    return found


def _covered(times: Iterable[tuple[float, float]]) -> float:
    """Return how long at least one was running."""
    covered, until = 0.0, float("-inf")
    for begin, end in sorted(times):
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered


def _summed(runs: Iterable[tuple[str, float]]) -> list[Kernel]:
    sums: dict[str, tuple[int, float]] = {}
    for name, took in runs:
        times, seconds = sums.get(name, (0, 0.0))
        sums[name] = (times + 1, seconds + took / 1e6)
    kernels = [
        Kernel(name=name, kind=kind_of(name), times=times, seconds=seconds) for name, (times, seconds) in sums.items()
    ]
    return sorted(kernels, key=lambda kernel: -kernel.seconds)
