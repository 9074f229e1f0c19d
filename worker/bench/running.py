"""Measuring one profile after the other within a limit of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image

from worker.bench.ceiling import measure_rates
from worker.bench.editors import Editor, LoadPipeline, free
from worker.bench.measuring import Timing, measure, steps_of
from worker.bench.pace import Pace
from worker.bench.photos import rows_of
from worker.bench.results import Measured
from worker.bench.sizes import Shape
from worker.contract.errors import FleetError, OutOfMemory, one_line
from worker.contract.work import Network


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How everything is measured."""

    #: Loads a new pipeline; called for each profile, since a profile changes what it is given.
    load: LoadPipeline
    #: Of the family, whose width and blocks are those of what was loaded.
    network: Network
    device: torch.device
    photos: Sequence[Image.Image]
    #: Timings of each shape.
    rounds: int
    #: Seconds, from any moment on.
    clock: Callable[[], float]
    #: Tells the user how far it is.
    tell: Callable[[str], None]

    def measure(self, measured: Measured, edit_with: Callable[[Any], Editor], whole: int, deadline: float) -> None:
        """Measure one profile, with so many whole calls; whatever goes wrong becomes part of the result.

        What the deadline does not leave time for is left as it is; what has begun is finished.
        """
        try:
            self._measure(measured, edit_with, whole, Pace(deadline, self.clock))
        except FleetError as error:
            measured.error = str(error)
        except Exception as error:  # whatever a new card, driver or version of torch comes to
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            measured.error = one_line(f"{type(error).__name__}: {reason}")
        if measured.error:
            self.tell(f"{measured.label}: {measured.error}")
        free(self.device)

    def _measure(self, measured: Measured, edit_with: Callable[[Any], Editor], whole: int, pace: Pace) -> None:
        if not pace.allows(0, compiling=False):
            return
        pipeline = self.load()
        config = pipeline.transformer.config
        measured.network = replace(
            self.network,
            width=config.num_attention_heads * config.attention_head_dim,
            # Some have blocks of one kind alone.
            blocks=config.num_layers + config.get("num_single_layers", 0),
        )
        editor = edit_with(pipeline)
        measured.passes = editor.passes
        measured.attention = editor.attention
        measured.rates = measure_rates(self.device)
        for shape in measured.rows:
            self._time(measured, editor, shape, pace)
            if shape == measured.first and shape.images == 1 and isinstance(measured.rows[shape], Timing):
                self._run_whole(measured, editor, whole, pace)

    def _time(self, measured: Measured, editor: Editor, shape: Shape, pace: Pace) -> None:
        rows = rows_of(self.photos, shape.bucket, shape.images)
        work = steps_of(self.rounds, warming=editor.steps_to_compile) * measured.work(shape)
        if not pace.allows(work, compiling=True):
            return
        begun = self.clock()
        try:
            timing = measure(
                lambda steps: editor.edit(shape.bucket, rows, steps),
                rounds=self.rounds,
                warming=editor.steps_to_compile,
                device=self.device,
                clock=self.clock,
            )
        except (OutOfMemory, torch.OutOfMemoryError):
            measured.rows[shape] = "out of memory"
            return
        measured.rows[shape] = timing
        pace.learn(work, self.clock() - begun, compiling=timing.compiling)
        self.tell(f"{measured.label}, {shape}: {timing.step:.3g} s a step, {timing.fixed:.3g} s besides")

    def _run_whole(self, measured: Measured, editor: Editor, calls: int, pace: Pace) -> None:
        bucket = measured.first.bucket
        for row in rows_of(self.photos, bucket, calls):
            if not pace.allows(measured.computed * measured.work(measured.first), compiling=False):
                return
            begun = self.clock()
            measured.pictures += editor.edit(bucket, [row], measured.steps)
            measured.whole.append(self.clock() - begun)
