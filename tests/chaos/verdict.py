"""What a run under faults must be, each demand a sentence where it is not met, and what each fault has cost."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import leftovers, pictures
from tests.chaos.doubles import Double, doubles, rides
from tests.chaos.faults import Fault
from tests.chaos.fleet import Fleet
from tests.chaos.following import Following
from tests.chaos.logs import Batch
from tests.chaos.runs import Runs
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke
from tests.chaos.watching import watch
from tests.support.cli import read_jsonl


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one fault has cost."""

    kind: Kind
    done: str
    #: Rows that its victim held and that were never answered.
    lost: int
    #: Rows that were edited a second time because of it.
    doubled: int
    #: Seconds until the fleet had recovered.
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What there is to say of runs under faults."""

    costs: list[Cost]
    #: Pictures that there are, and those that show what their own rows ask for.
    pictures: int
    right: int
    #: One for each demand that was not met; empty if all is well.
    complaints: list[str]
    #: What else is worth knowing.
    remarks: list[str]


def settle(fleet: Fleet) -> None:
    """Wait until late doubles are answered, and workers have struck out what is over; end them as a deployment does."""
    with suppress(AssertionError):
        watch([fleet], lambda: not leftovers.in_redis(fleet.server.url), "nothing is left", limit=60)
    watch([fleet], fleet.is_whole, "every worker is back")
    fleet.stop()


def judge(fleet: Fleet, peace: Sequence[Following], war: Sequence[Following], faults: Sequence[Fault]) -> Verdict:
    """Compare runs under faults with the same ones without, once the workers have ended."""
    strokes = [fault.stroke for fault in faults]
    judged = [_judge(fleet, calm, struck, strokes) for calm, struck in zip(peace, war, strict=True)]
    answered = Runs(war).answered.keys()
    causes = Counter(double.fault for one in judged for double in one.twice)
    costs = [
        Cost(
            kind=fault.kind,
            done=fault.done,
            lost=len(fault.stroke.held - answered),
            doubled=causes[fault.stroke],
            seconds=fault.recovered() - fault.stroke.when,
        )
        for fault in faults
    ]
    return Verdict(
        costs=costs,
        pictures=sum(one.pictures for one in judged),
        right=sum(one.right for one in judged),
        complaints=[
            *(complaint for one in judged for complaint in one.complaints),
            *fleet.complaints,
            *leftovers.in_redis(fleet.server.url),
            *leftovers.of_processes(fleet),
        ],
        remarks=[remark for one in judged for remark in one.remarks],
    )


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What there is to say of one run."""

    pictures: int
    right: int
    twice: list[Double]
    complaints: list[str]
    remarks: list[str]


def _judge(fleet: Fleet, peace: Following, war: Following, strokes: Sequence[Stroke]) -> _Judged:
    rows = read_jsonl(war.source)
    reference, before = pictures.read(peace.folder)
    run, wrong = pictures.read(war.folder)
    ridden = rides(fleet.logs, war.id)
    twice = doubles(fleet.logs, war.id, strokes)
    sizes = {row: {len(batch.rows) for batch in batches} for row, batches in ridden.items()}
    astray, remark = pictures.look(run, war.source)
    return _Judged(
        pictures=len(run.outcomes),
        right=len(run.outcomes) - len(astray),
        twice=twice,
        complaints=[
            *(before + peace.complaints or pictures.compare(run, reference, sizes)),
            *wrong,
            *astray,
            *war.complaints,
            *_output(war.folder / "output.jsonl", rows),
            *leftovers.in_folder(war.folder, len(rows)),
            *(str(double) for double in twice if double.could_be_helped),
        ],
        remarks=[f"The run of {len(rows)} rows:", remark, *_remarks(run, reference, sizes, ridden)],
    )


def _output(path: Path, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each line of the output that is not its row with its picture."""
    lines = read_jsonl(path)
    if len(lines) != len(rows):
        return [f"{path} has {len(lines)} lines for {len(rows)} rows"]
    complaints = []
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        images = line.pop("output_image", [])
        if line != row or [Path(image).name for image in images] != [f"sample_{number}_0.png"]:
            complaints.append(f"{path}: row {number} is {line} with {images}")
    return complaints


def _remarks(
    run: pictures.Edited,
    reference: pictures.Edited,
    sizes: Mapping[int, Collection[int]],
    ridden: Mapping[int, Sequence[Batch]],
) -> list[str]:
    alike = sum(set(sizes.get(row, ())) == {outcome.batch_size} for row, outcome in reference.outcomes.items())
    both = run.outcomes.keys() & reference.outcomes.keys()
    identical = sum(run.file(row).read_bytes() == reference.file(row).read_bytes() for row in both)
    cut_off = sum(batch.done is None for batches in ridden.values() for batch in batches)
    return [
        f"{identical} of {len(run.outcomes)} pictures are byte-identical to those without faults.",
        f"{alike} were made in micro-batches of the same size.",
        f"{cut_off} times a row was on the GPU of a worker that died.",
    ]
