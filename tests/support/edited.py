"""A finished run, row by row, and what its pictures show."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageStat

from producer.run.ledger import Ledger
from tests.support.cli import CLI, write_jsonl
from worker.contract.messages import Outcome

RED, GREEN, BLUE, WHITE = (200, 30, 40), (20, 160, 60), (40, 60, 210), (255, 255, 255)


@dataclass(frozen=True)
class Edited:
    """A finished run whose rows have names."""

    #: Where the commands ran.
    folder: Path
    names: list[str]
    #: The output, as it was written.
    lines: list[str]
    #: None of a row that no worker has seen.
    outcomes: list[Outcome | None]

    def fields(self, name: str) -> dict[str, Any]:
        """Return a row of the output."""
        return json.loads(self.lines[self.names.index(name)])

    def picture(self, name: str, index: int = 0) -> Image.Image:
        """Open a picture that the output names."""
        return Image.open(self.folder / self.fields(name)["output_image"][index])

    def outcome(self, name: str) -> Outcome:
        """Return what the worker said of a row."""
        found = self.outcomes[self.names.index(name)]
        assert found is not None, self.fields(name)
        return found


def edit(cli: CLI, rows: Mapping[str, Any], *options: object, source: str = "in.jsonl", code: int = 0) -> Edited:
    """Submit rows, collect them, and read what came back."""
    cli = CLI(cli.folder, {"save_interval": 1, **cli.settings})  # few rows: none waits a second for others
    write_jsonl(cli.folder / source, list(rows.values()))
    submitted = cli("submit", source, *options)
    assert submitted.returncode == 0, submitted.stderr
    collected = cli("collect", submitted.stdout.strip())
    assert collected.returncode == code, collected.stderr
    with Ledger(cli.folder / submitted.stdout.strip(), read_only=True) as ledger:
        found = [json.loads(record.outcome or "{}") for record in ledger.records()]
    lines = (cli.folder / collected.stdout.strip()).read_text().splitlines()
    assert len(lines) == len(rows)
    outcomes = [Outcome.decode(json.dumps(one)) if "worker" in one else None for one in found]
    return Edited(cli.folder, list(rows), lines, outcomes)


def plain(path: Path, colour: Any, mode: str = "RGB") -> str:
    """Save a picture of one colour; return its name."""
    Image.new(mode, (64, 64), colour).save(path)
    return path.name


def colour(picture: Image.Image) -> Any:
    """Return the colour of a picture that has only one."""
    [(_, found)] = picture.getcolors() or []
    return found


def same(one: Image.Image, other: Image.Image) -> bool:
    """Tell whether two pictures are the same to 1/255, in every pixel and channel."""
    difference = ImageChops.difference(one, other)
    return max(high for _, high in difference.getextrema()) <= 1


def far(one: Image.Image, other: Image.Image) -> bool:
    """Tell whether two pictures differ by far more than 1/255, on the average of all pixels."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean) > 4
