"""A table per step, in files."""

import json
from pathlib import Path
from typing import Any, Self

import pandas as pd


class FileStorage:
    """Reads the first table, or that of the step before, and writes the next one: `<prefix>_step<n>.<type>`."""

    def __init__(
        self,
        first_entry_file_name: str,
        cache_path: str = "./cache",
        file_name_prefix: str = "dataflow_cache",
        cache_type: str = "jsonl",
    ) -> None:
        self.first_entry_file_name = first_entry_file_name
        self.cache_path = cache_path
        self.file_name_prefix = file_name_prefix
        self.cache_type = cache_type
        self.operator_step = -1

    def step(self) -> Self:
        """Go on to the next step."""
        self.operator_step += 1
        return self

    def read(self, output_type: str = "dataframe") -> Any:
        """Return this step's table, as a DataFrame or as a list of rows ("dict")."""
        first = self.operator_step == 0
        kind = self.first_entry_file_name.rpartition(".")[2] if first else self.cache_type
        frame = self._load_local_file(self._file(self.operator_step), kind)
        return frame if output_type == "dataframe" else frame.to_dict(orient="records")

    def write(self, data: Any) -> str:
        """Write the next step's table, of a DataFrame or of rows."""
        assert type(data) in {list, pd.DataFrame}  # and no kind of these
        frame = pd.DataFrame(data)
        file = self._file(self.operator_step + 1)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        if self.cache_type == "pickle":
            frame.to_pickle(file)
        else:
            frame.to_json(file, orient="records", lines=self.cache_type == "jsonl", force_ascii=False)
        return file

    def _file(self, step: int) -> str:
        assert step >= 0, "storage.step() comes first"
        if step == 0:
            return self.first_entry_file_name
        return f"{self.cache_path}/{self.file_name_prefix}_step{step}.{self.cache_type}"

    def _load_local_file(self, file_path: str, file_type: str) -> pd.DataFrame:
        if file_type == "pickle":
            return pd.read_pickle(file_path)  # noqa: S301 - the test's own
        if file_type == "json":
            return pd.read_json(file_path)
        return pd.DataFrame([json.loads(line) for line in Path(file_path).read_text().splitlines() if line.strip()])
