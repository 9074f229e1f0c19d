"""One denoising step of each profile, kernel by kernel: where its time goes."""

import gzip
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity

from tests.gpu.kernels import Breakdown, breakdown
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from tests.support.jobs import edited, job, key
from worker.bench.editors import free
from worker.contract.buckets import Bucket
from worker.contract.errors import one_line
from worker.contract.profiles import ProfileName
from worker.models.kontext.architecture import FULL, TINY
from worker.models.kontext.editor import Kontext
from worker.models.kontext.random_weights import random_pipeline
from worker.models.speed.device import dtype_on

_LONGEST: Final = 20
#: Characters of a kernel's name, the first ones and the last.
_NAME: Final = (70, 40)


class Step:
    """Watches the second step of a call: the first one, of a kind, may still load what it needs."""

    def __init__(self, transformer: torch.nn.Module, scene: Scene) -> None:
        self._scene = scene
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if scene.device.type == "cuda" else [])]
        #: torch's, where the step is to be profiled, and else only its seconds are taken.
        self.profiler: Any = None
        self._activities = activities
        self.seconds = 0.0
        self._calls = 0
        self._begun = 0.0
        transformer.register_forward_pre_hook(self._before)
        transformer.register_forward_hook(self._after)

    def expect(self, *, profiled: bool) -> None:
        """Get ready for a call of two steps."""
        self._calls = 0
        self.profiler = torch.profiler.profile(activities=self._activities) if profiled else None

    def _before(self, *_: object) -> None:
        self._calls += 1
        if self._calls == 2:
            self._scene.measured(lambda: None)
            if self.profiler is not None:
                self.profiler.start()
            self._begun = time.perf_counter()

    def _after(self, *_: object) -> None:
        if self._calls == 2:
            self._scene.measured(lambda: None)
            self.seconds = time.perf_counter() - self._begun
            if self.profiler is not None:
                self.profiler.stop()


def measure(scene: Scene, notes: Notes) -> None:
    """Profile each that this machine can do; one that breaks off leaves the others."""
    shares = notes.table(
        "Share of a step's time, by kind of kernel:",
        ["profile", "ms a step, unwatched", "ms, watched", "GEMM", "attention", "pointwise", "other", "gaps"],
    )
    broken, said = list[str](), list[str]()
    for name in scene.profiles(notes, "exact", "fast", *scene.either(("reference",), ())):
        try:
            seconds, found = _profiled(scene, name)
        except Exception as error:  # whatever a compiler or a kernel comes to
            notes.fact(name, one_line((str(error).strip() or type(error).__name__).splitlines()[0]))
            broken.append(name)
        else:
            parts = (f"{100 * took / found.span:.1f} %" for took in found.kinds.values())
            shares.row(name, f"{1000 * seconds:.1f}", f"{1000 * found.span:.1f}", *parts)
            said.append(f"{name} {1000 * seconds:.1f} ms a step")
            notes.headline(", ".join(said))
            _note(notes, name, found)
        free(scene.device)
    if broken:
        raise ValueError(f"{', '.join(broken)} broke off: see below")


def _profiled(scene: Scene, name: ProfileName) -> tuple[float, Breakdown]:
    """Return the seconds of a step that nobody watches, and where those of a watched one went."""
    bucket = scene.either(Bucket(1024, 1024), Bucket(64, 64))
    pipeline = random_pipeline(scene.either(FULL, TINY), device=scene.device, dtype=dtype_on(scene.device))
    model = Kontext(pipeline, scene.profile(name), compile_cache=scene.kernels, prompt_cache=2**24)
    edited(model, key(bucket, steps=1), [job(1, bucket)], 1)  # compiles
    step = Step(pipeline.transformer, scene)
    unwatched = 0.0
    for profiled in (False, False, True, True):  # the first watched one pays for the profiler's own start
        step.expect(profiled=profiled)
        edited(model, key(bucket, steps=2), [job(1, bucket)], 1)
        unwatched = unwatched if profiled else step.seconds
    path = scene.folder / f"profile-{name}.trace.json.gz"
    step.profiler.export_chrome_trace(str(path))
    return unwatched, breakdown(_read(path))


def _read(path: Path) -> Any:
    with gzip.open(path, "rt", errors="replace") as trace:
        return json.load(trace)


def _note(notes: Notes, name: str, found: Breakdown) -> None:
    listed = [
        (_short(kernel.name), kernel.kind, kernel.times, f"{1000 * kernel.seconds:.3f}",
         f"{100 * kernel.seconds / found.span:.1f} %")
        for kernel in found.kernels[:_LONGEST]
    ]  # fmt: skip
    notes.table(f"{name}, the longest kernels of a step:", ["kernel", "kind", "times", "ms", "of the step"], listed)
    notes.fact(f"{name}: kernels launched in a step", sum(kernel.times for kernel in found.kernels))
    notes.keep(name, asdict(found))


def _short(name: str) -> str:
    first, last = _NAME
    return name if len(name) <= first + last + 3 else f"{name[:first]} … {name[-last:]}"
