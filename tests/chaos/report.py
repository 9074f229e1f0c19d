"""The table that tells what the faults have cost."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence

from tests.chaos.schedule import Kind
from tests.chaos.trial import Trial
from tests.chaos.verdict import Cost, Verdict


def environment(trial: Trial) -> str:
    """Say what was tried, and on what."""
    return (
        f"{trial.rows} rows, {trial.workers} workers, {trial.faults} faults of seed {trial.seed}, visibility timeout"
        f" {trial.visibility_timeout} s, demo model with {trial.steps} steps, Python {platform.python_version()},"
        f" {os.cpu_count()} cores"
    )


def table(*verdicts: Verdict) -> str:
    """Return a line per kind of fault, in Markdown, of one run under faults or the sum of several."""
    all_costs = [cost for verdict in verdicts for cost in verdict.costs]
    lines = [
        "| fault | what was done | times | rows lost | rows edited twice | s to recover (median) | (most) |",
        "|---|---|---|---|---|---|---|",
        *(_line(kind, [cost for cost in all_costs if cost.kind is kind]) for kind in Kind),
        _sums(all_costs),
    ]
    return "\n".join(lines)


def _line(kind: Kind, costs: list[Cost]) -> str:
    if not costs:
        return f"| {kind} | | 0 | | | | |"
    seconds = [cost.seconds for cost in costs]
    return (
        f"| {kind} | {costs[0].done} | {len(costs)} | {sum(cost.lost for cost in costs)}"
        f" | {sum(cost.doubled for cost in costs)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |"
    )


def _sums(costs: Iterable[Cost]) -> str:
    costs = list(costs)
    return f"| all | | {len(costs)} | {sum(cost.lost for cost in costs)} | {sum(cost.doubled for cost in costs)} | | |"


def summary(seeds: Sequence[int], verdicts: Sequence[Verdict]) -> str:
    """Say in one sentence what came of several seeds."""
    costs = [cost for verdict in verdicts for cost in verdict.costs]
    right, pictures = (sum(getattr(verdict, name) for verdict in verdicts) for name in ("right", "pictures"))
    lost, doubled = sum(cost.lost for cost in costs), sum(cost.doubled for cost in costs)
    return (
        f"{len(verdicts)} of {len(seeds)} seeds came to their end: {len(costs)} faults, {lost} rows lost,"
        f" {doubled} edited twice, {right} of {pictures} pictures right,"
        f" {sum(len(verdict.complaints) for verdict in verdicts)} complaints."
    )
