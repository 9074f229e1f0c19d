"""What was measured, and what follows from it, as tables in Markdown."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from tests.bench.many.capacity import Capacity
from tests.bench.many.simulation import Costs, Fleet, simulate
from tests.bench.many.timeline import Done, idle_at_the_end, steady, whole
from tests.bench.many.trial import Found, Trial

#: Fleets that are calculated, and what a row takes in seconds of their GPUs.
_GPUS: Final = (10, 100, 300, 1000, 3000)
_SECONDS: Final = (0.5, 6.0)

#: Of four workers.
_PLACES: Final = ("the last", "the third", "the second", "the first")

Measure = Callable[[Trial], Found]


def table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterator[str]:
    """Write a table line by line, as its lines come."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for line in lines:
        yield f"| {' | '.join(map(str, line))} |"


def scaling(measure: Measure, workers: Sequence[int], per_row: float, per_call: float, work: float) -> Iterator[str]:
    """Compare fleets with the ideal, each worker with so many seconds of work."""

    def line(count: int) -> Sequence[object]:
        rows = count * _batches(work, per_row, per_call) * 4
        trial = Trial(workers=count, rows=[rows], per_row=per_row, per_call=per_call)
        found = measure(trial)
        at_work = steady(found.batches)
        rate = at_work.rows / at_work.seconds
        return [
            count, rows, f"{trial.ideal:.2f}", f"{rate:.2f}", f"{100 * rate / trial.ideal:.1f}",
            f"{rows / whole(found.batches):.2f}", f"{1000 * found.worker / rows:.1f}",
            f"{1000 * found.producer / rows:.2f}", f"{1000 * found.collector / rows:.2f}",
            f"{1000 * found.redis / rows:.2f}", f"{1000 * found.redis_idle:.2f}", f"{found.redis_memory / 2**20:.1f}",
        ]  # fmt: skip

    heads = [
        "workers", "rows", "ideal rows/s", "rows/s, all at work", "% of the ideal", "rows/s, whole run",
        "worker, CPU ms/row", "producer", "collector", "Redis", "idle Redis, ms/s per worker", "Redis, MiB at most",
    ]  # fmt: skip
    yield from table(heads, map(line, workers))


def shapes(measure: Measure, per_row: float, per_call: float, work: float) -> Iterator[str]:
    """Compare rows of one shape with rows of six, in turn."""

    def line(count: int) -> Sequence[object]:
        rows = 4 * 4 * _batches(work, per_row, per_call)
        trial = Trial(workers=4, rows=[rows], per_row=per_row, per_call=per_call, shapes=count)
        found = measure(trial)
        at_work = steady(found.batches)
        rate, sizes = at_work.rows / at_work.seconds, [len(batch.rows) for batch in found.batches]
        return [count, rows, f"{statistics.mean(sizes):.2f}", f"{rate:.2f}", f"{100 * rate / trial.ideal:.1f}"]

    yield from table(["shapes", "rows", "rows of a batch", "rows/s, all at work", "% of the ideal"], map(line, (1, 6)))


def runs(measure: Measure, per_row: float, work: float) -> Iterator[str]:
    """Have one, two and twenty runs share four workers, which begin once all of them were sent."""
    total = 20 * max(1, round(4 * work / per_row / 20))

    def line(count: int) -> Sequence[object]:
        found = measure(Trial(workers=4, rows=[total // count] * count, per_row=per_row, held=True))
        at_work = steady([batch for batch in found.batches if batch.begun >= found.begun[0]])
        first = [one.first - sent for one, sent in zip(found.answers, found.begun, strict=True)]
        last = [one.last - sent for one, sent in zip(found.answers, found.begun, strict=True)]
        return [
            count, total // count, f"{at_work.rows / at_work.seconds:.2f}", f"{statistics.median(first):.1f}",
            f"{max(first):.1f}", f"{statistics.median(last):.1f}", f"{max(last):.1f}",
            f"{1000 * found.redis / total:.2f}",
        ]  # fmt: skip

    heads = [
        "runs", "rows of each", "rows/s, all at work", "first answer after s, median", "worst", "last after s, median",
        "worst", "Redis, CPU ms/row",
    ]  # fmt: skip
    yield from table(heads, map(line, (1, 2, 20)))


def fairness(measure: Measure, per_row: float, large: int, small: int) -> Iterator[str]:
    """Send a small run behind a large one, and the same rows as one run, whose queue is first come, first served."""
    found = measure(Trial(workers=4, rows=[large, small], per_row=per_row))
    alike = measure(Trial(workers=4, rows=[large + small], per_row=per_row))
    # Those that were submitted last, in the one command that submitted all.
    last = sorted(done for batch in alike.batches for row, done in _numbered(batch) if row >= large)
    ours = found.answers[1]
    lines = [
        ["one queue for all (before)", f"{last[0] - alike.begun[0]:.1f}", f"{last[-1] - alike.begun[0]:.1f}"],
        ["a queue for each run (after)", f"{ours.first - found.begun[1]:.1f}", f"{ours.last - found.begun[1]:.1f}"],
    ]
    yield from table([f"{small} rows behind {large:,}", "their first answer after s", "their last after s"], lines)


def _numbered(batch: Done) -> Iterator[tuple[int, float]]:
    return ((int(row.partition(".")[2]), batch.done) for row in batch.rows)


def tail(measure: Measure, per_row: float, rows: int) -> Iterator[str]:
    """Measure how long four workers are idle before a run's last batch is done, also where one has nearly all rows."""

    def line(name: str, trial: Trial) -> Sequence[object]:
        idle = sorted(idle_at_the_end(measure(trial).batches).values())
        return [name, sum(trial.rows), trial.batch_seconds, *(f"{seconds:.2f}" for seconds in idle)]

    trial = Trial(workers=4, rows=[rows], per_row=per_row)
    few = replace(trial, rows=[26], hoarded=20)
    trials = {
        "one shape": trial,
        "six shapes": replace(trial, shapes=6),
        "one worker had nearly all": few,
        "the same, of six shapes": replace(few, shapes=6),
        "the same, ten times as fast": replace(few, per_row=per_row / 10),
    }
    heads = ["rows", "of them", "s of a full batch", *(f"idle at the end, s: {place}" for place in _PLACES)]
    yield from table(heads, (line(name, trial) for name, trial in trials.items()))


def capacities(found: Capacity, rows: int) -> Iterator[str]:
    """Show what one producer and one collector can do."""
    lines = [[name, f"{1000 * cpu:.3f}", f"{1 / cpu:,.0f}"] for name, cpu in found._asdict().items()]
    yield from table([f"{rows:,} rows", "CPU ms/row", "rows/s of a core"], lines)


def thousand(costs: Costs) -> Iterator[str]:
    """Calculate large fleets, and say how many GPUs each part feeds."""

    def line(seconds: float, gpus: int) -> Sequence[object]:
        warm_up = 4 * 4 * seconds + 30
        # A run that goes on: with what its workers hold, and as much again in the queue, as far as that is allowed.
        rows = min(Fleet.max_queued, 2 * gpus * Fleet.in_flight * Fleet.batch)
        fleet = Fleet(gpus=gpus, seconds_per_row=seconds, warm_up=warm_up, seconds=2 * warm_up, max_queued=rows)
        load = simulate(fleet, costs)
        shares = [load.gpus, load.producer, load.redis, load.collector]
        return [seconds, f"{gpus:,}", f"{load.rows_per_s:,.1f}", *(f"{100 * share:.0f}" for share in shares)]

    heads = ["s per row", "GPUs", "rows/s", "GPUs busy, %", "producer, %", "Redis, %", "collector, %"]
    yield from table(heads, (line(seconds, gpus) for seconds in _SECONDS for gpus in _GPUS))
    yield ""
    for seconds in _SECONDS:
        limits = sorted(costs.limits(seconds).items(), key=lambda item: item[1])
        told = ", ".join(f"one {name} {gpus:,.0f}" for name, gpus in limits)
        yield f"Rows of {seconds} s, GPUs that one of each feeds at most: {told}. First at its end: the {limits[0][0]}."
    yield (
        "Next steps: of producer and collector, several runs at once (an input cut in parts), each with its own; of"
        " Redis, one for each model or group of runs (FLEET_BROKER_URL), since neither Celery nor kombu spreads a queue"
        " over many."
    )


def _batches(work: float, per_row: float, per_call: float) -> int:
    return max(3, round(work / (4 * per_row + per_call)))
