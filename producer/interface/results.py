"""What became of a row, as the ledger of its run has it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from producer.run.records import Answer, State

_STATES: Final[Mapping[State, Literal["done", "failed", "kept"]]] = {
    State.DONE: "done",
    State.FAILED: "failed",
    State.KEPT: "kept",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """A row that is answered."""

    #: Its number: that of its place in the input from 0, or its own where rows were given numbers.
    row: int
    #: "done": edited; "failed": it carries an error; "kept": it came with its output, and was left alone.
    state: Literal["done", "failed", "kept"]
    #: The edited images, absolute; of a kept row what it came with, as it is there.
    paths: tuple[Path, ...] = ()
    #: With `turns="each"`, the images of the turns before the last, turn by turn.
    earlier_paths: tuple[Path, ...] = ()
    #: The same where the run's pictures are at an object store: URLs, and no paths.
    urls: tuple[str, ...] = ()
    earlier_urls: tuple[str, ...] = ()
    #: What is wrong with a failed row, in one sentence.
    error: str | None = None
    #: What is to be said of it beside that (docs/input-and-output.md).
    warnings: tuple[str, ...] = ()
    #: Seconds by stage: decode, wait (for the batch), model (for all of its batch), encode.
    seconds: Mapping[str, float] = field(default_factory=dict)
    #: Seed of the first image, width and height in pixels at which the model worked, and who edited it.
    seed: int | None = None
    size: tuple[int, int] | None = None
    worker: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it has its images."""
        return self.state != "failed"


def result_of(answer: Answer, folder: Path, kept: Sequence[str] = (), *, store: str | None = None) -> Result:
    """Return what became of a row; `kept`: the paths that a row came with.

    `store`: the prefix at an object store where the run's pictures are; else they are in its `folder`.
    """
    found: dict[str, Any] = json.loads(answer.outcome or "{}")
    urls = tuple(path for path in kept if "://" in path)
    bucket, made, earlier = found.get("bucket"), found.get("paths", ()), found.get("earlier_paths", ())
    return Result(
        row=answer.row,
        state=_STATES[answer.state],
        paths=tuple(Path(path) for path in kept if path not in urls)
        or (() if store else tuple(folder / path for path in made)),
        earlier_paths=() if store else tuple(folder / path for path in earlier),
        urls=urls or (tuple(f"{store}/{path}" for path in made) if store else ()),
        earlier_urls=tuple(f"{store}/{path}" for path in earlier) if store else (),
        error=found.get("error"),
        warnings=tuple(kind.value for kind in answer.warnings),
        seconds=found.get("seconds", {}),
        seed=found.get("seed"),
        size=None if bucket is None else (bucket[0], bucket[1]),
        worker=found.get("worker"),
    )


def texts_in(value: object) -> Iterator[str]:
    """Iterate over the paths that a row came with: a text, an image object's path, or a list of these."""
    if isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, dict):
        yield from texts_in(value.get("path"))
    elif isinstance(value, str) and value.strip():
        yield value
