"""What is worth saying of a run's rows as a whole, beyond their errors."""

from collections.abc import Mapping
from pathlib import Path

from producer.rows.outputs import absent_files
from producer.rows.parser import Row
from worker.contract.counting import counted
from worker.contract.row_warnings import MEANING, RowWarning
from worker.settings.fleet import Settings


class Remarks:
    """Takes note of rows that were left alone, and puts what is to be said of a run's rows into sentences."""

    def __init__(self, settings: Settings, base: Path) -> None:
        """Relative paths of the input begin in the folder `base`."""
        self._settings = settings
        # A data set's own columns begin there; those of an output, where the command ran that wrote it.
        self._folders = (base, Path.cwd())
        self.rows = 0
        #: Rows that came with their output, and those of them that name a file which is not there.
        self.kept = 0
        self.kept_absent = 0
        self._first_absent = ""

    def add(self, row: Row) -> None:
        """Take note of a row."""
        self.rows += 1
        if row.kept:
            self.kept += 1
            absent = absent_files((row.fields or {}).get(self._settings.output_image_key), self._folders)
            if absent and not self.kept_absent:
                self._first_absent = f"line {row.line.number}: {absent[0]}"
            self.kept_absent += bool(absent)

    def sentences(self, warnings: Mapping[RowWarning, int], first: Mapping[RowWarning, int] | None = None) -> list[str]:
        """Return what there is to say; `warnings` counts the rows by kind, and `first` names one of each."""
        said = []
        if (left := left_alone(self.kept, self.rows, self._settings)) is not None:
            said.append(left)
        if self.kept_absent:
            said.append(
                f"{self.kept_absent} of them {'names' if self.kept_absent == 1 else 'name'} a file that is not there"
                f" ({self._first_absent});"
                f" where {self._settings.output_image_key} is empty, a row is edited."
            )
        kinds = (kind for kind in RowWarning if warnings.get(kind) and kind is not RowWarning.KEPT)
        such_as = {kind: f" (such as row {row})" for kind, row in (first or {}).items()}
        return [
            *said,
            *(f"{counted(warnings[kind], 'row')}: {MEANING[kind]}{such_as.get(kind, '')}." for kind in kinds),
        ]


def left_alone(kept: int, rows: int, settings: Settings) -> str | None:
    """Say how many rows were left alone, and why; None where there are none."""
    if not kept:
        return None
    key = settings.output_image_key
    which = f"{kept} of {counted(rows, 'row')}"
    if kept == rows:
        which = "No row needs an edit: " + (f"all {rows}" if rows > 1 else "the only one")
    has, are = ("has", "is") if kept == 1 else ("have", "are")
    return (
        f"{which} {has} {key} already and {are} left alone; if that is a column of the data set's own, name another for"
        " the output with --output-image-key."
    )


def rounding(settings: Settings) -> str | None:
    """Say that the run's size was rounded to what the model takes; None where it was not."""
    if settings.model_size == settings.output_size:
        return None
    return (
        f"--size {settings.output_size} was rounded down to {settings.model_size}:"
        f" {settings.diffuser_model_name} takes multiples of {settings.spec.multiple}."
    )
