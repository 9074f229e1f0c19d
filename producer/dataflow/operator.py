"""The operator that edits a table's images, in the place of DataFlow's own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from producer.dataflow.serving import Edited, LocalImageGenServing
from producer.dataflow.table import Storage, base_folder, earlier_outputs, is_done, rows_of
from worker.contract.errors import SettingsError


class PromptedImageEditGenerator:
    """Edits each row's image by its instruction, and adds a column of paths, and where there are some, of errors.

    Unlike DataFlow's own it takes parameters of a row's own (`edit`), finds what it has done by what a row holds, and
    raises what stands in its way.
    """

    def __init__(self, image_edit_serving: LocalImageGenServing, save_interval: int = 50) -> None:
        """`save_interval`: finished rows are durable at least after so many; the table is written at the end.

        Raises:
            SettingsError: it is no number of rows.

        """
        if not isinstance(save_interval, int) or isinstance(save_interval, bool) or save_interval < 1:
            raise SettingsError(f"save_interval is a number of rows; found {save_interval!r:.40}.")
        self.image_edit_serving = image_edit_serving
        self.save_interval = save_interval

    @staticmethod
    def get_desc(lang: str = "en") -> str:
        """Say what it does, as DataFlow asks every operator; there is no other language than English."""
        del lang
        return "Edits each row's image by its instruction, and adds the paths of the edited images."

    def run(
        self,
        storage: Storage,
        input_image_key: str = "images",
        input_conversation_key: str = "conversation",
        output_image_key: str = "edited_images",
        save_image_with_idx: bool = True,  # noqa: FBT001, FBT002 - as DataFlow has it
        *,
        output_error_key: str = "error",
        output_warning_key: str = "warnings",
    ) -> None:
        """Edit the rows of a storage's step that have no output yet, and write the table of the next step.

        Rows are numbered by their places, from 0. Pictures are `sample_<row>/sample_<row>_<image>.png` below the
        serving's `save_path`, also where `save_image_with_idx` is False: rows of one instruction would share them. One
        that failed has an empty list and its error, and is tried again by the next run.

        Raises:
            SettingsError: a column has no name, or two have the same.
            RowsError: a value of the table cannot be written as JSON.
            RunError: the run could not go on. Nothing is lost, and the same again goes on.

        """
        del save_image_with_idx
        rows = rows_of(storage)
        decisive = [input_image_key, input_conversation_key, self.image_edit_serving.edit_column]
        earlier = earlier_outputs(storage, rows, [*filter(None, decisive)], output_image_key)
        for row, output in zip(rows, earlier, strict=True):
            if not is_done(row, output_image_key):
                row[output_image_key] = [] if output is None else output
        wanted = [number for number, row in enumerate(rows) if not is_done(row, output_image_key)]
        edited = self.image_edit_serving.edit(
            [self._with_own_paths(rows[number], input_image_key) for number in wanted],
            wanted,
            images_from=base_folder(storage),
            input_image_key=input_image_key,
            input_conversation_key=input_conversation_key,
            output_image_key=output_image_key,
            output_error_key=output_error_key,
            output_warning_key=output_warning_key,
            save_interval=self.save_interval,
        )
        for number in wanted:
            _add(rows[number], edited[number], output_image_key, output_error_key, output_warning_key)
        storage.media_key = output_image_key  # type: ignore[attr-defined] # for the next operator, as DataFlow's does
        if rows:
            storage.write(rows)

    def _with_own_paths(self, row: Mapping[str, Any], column: str) -> dict[str, Any]:
        """Return a row whose image may be one that the serving has made: its path begins where the program runs."""
        return {**row, column: self._absolute(row.get(column))} if column in row else dict(row)

    def _absolute(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._absolute(one) for one in value]
        if not isinstance(value, str):
            return value
        made = os.path.normpath(self.image_edit_serving.save_path) + os.sep
        return str(Path(value).absolute()) if os.path.normpath(value).startswith(made) else value


def _add(row: dict[str, Any], edited: Edited, output: str, error: str, warnings: str) -> None:
    """Add to a row what became of it. A column that no row has anything for is not there."""
    row[output] = edited.paths
    for column, value in ((error, edited.error), (warnings, edited.warnings or None)):
        if value is not None or column in row:
            row[column] = value
