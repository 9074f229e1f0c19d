"""Whether a run's pictures are those of the same run without faults, and whether each shows what its row asks for."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from producer.run.ledger import Ledger
from tests.chaos.rows import asked, neighbour
from tests.support.edited import far, same
from tests.support.meaning import mistaken
from worker.contract.messages import Outcome


@dataclass(frozen=True)
class Edited:
    """The outcomes of a finished run, by row, and its folder."""

    folder: Path
    outcomes: Mapping[int, Outcome]

    def file(self, row: int) -> Path:
        """Return the path of a row's picture."""
        (path,) = self.outcomes[row].paths
        return self.folder / path


def read(folder: Path) -> tuple[Edited, list[str]]:
    """Read a run's ledger; return its edited rows, and a sentence for each row that is not."""
    outcomes, complaints = {}, []
    with Ledger(folder, read_only=True) as ledger:
        for record in ledger.records():
            if record.outcome is None or '"done"' not in record.outcome:
                complaints.append(f"row {record.row} is {record.state.name}: {record.outcome}")
            else:
                outcomes[record.row] = Outcome.decode(record.outcome)
        if (counted := sum(n for key, n in ledger.tally().items() if key.startswith("worker:"))) != len(outcomes):
            complaints.append(f"{len(outcomes)} rows are done, and {counted} outcomes were counted")
    return Edited(folder, outcomes), complaints


def compare(run: Edited, reference: Edited, sizes: Mapping[int, Collection[int]]) -> list[str]:
    """Return a sentence for each row whose picture is not the one that the run without faults has made.

    `sizes`: of all micro-batches in which a row rode, since any of them may have made the picture.
    """
    complaints = []
    for row in run.outcomes:
        ours, theirs = run.file(row), reference.file(row)
        if set(sizes.get(row, ())) == {reference.outcomes[row].batch_size} and ours.read_bytes() != theirs.read_bytes():
            complaints.append(f"row {row}: {ours} and {theirs} differ, though their batches had the same size")
        if not _compare(same, ours, theirs):
            complaints.append(f"row {row}: {ours} and {theirs} differ by more than 1/255")
        if not _compare(far, ours, reference.file(neighbour(row, len(reference.outcomes)))):
            complaints.append(f"row {row}: {ours} might as well be another row's")
    return complaints


def look(run: Edited, source: Path) -> tuple[list[str], str]:
    """Return a sentence for each row whose picture shows what another row asks for, and one on how many show their own.

    The run without faults is not asked: it would say nothing if it had made the same mistake.
    """
    rows = {row: (run.file(row), asked(source.parent, row)) for row in run.outcomes}
    complaints = mistaken(rows)
    return complaints, (
        f"{len(rows) - len(complaints)} of {len(rows)} pictures match their own photograph and instruction better than "
        f"any other row's of their size; {len({what for _, what in rows.values()})} different ones were asked for."
    )


def _compare(how: Callable[[Image.Image, Image.Image], bool], one: Path, other: Path) -> bool:
    with Image.open(one) as ours, Image.open(other) as theirs:
        return how(ours, theirs)
