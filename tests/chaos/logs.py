"""What a worker's log tells: the rows that it received and answered, and its micro-batches."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_LINE = re.compile(r"\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}): \w+/\w+\] (?P<text>.*)")
#: A row's task is named after run, row and sending.
_TASK = re.compile(r"Task worker\.edit\[(?P<row>\w+\.\d+)\.(?P<sending>\w+)\] (?P<what>\w+)")
_BATCH = re.compile(r"micro-batch (?P<id>\w{12}): (?:\d+ of \d+ rows at [^:]*: (?P<rows>[\w. ]+)|(?P<done>done in))")

#: Whatever comes first: the event loop, an acknowledgement, or a row.
_MISSED = ("waiting for it", "Couldn't ack", "waits for Redis, and", "cannot be renewed")


#: With this an outage ends.
_BACK = "again, after "

#: With this a worker begins a micro-batch while Redis is away: its GPU does not wait.
_UNASKED = "nobody knows whether others have these rows"


@dataclass
class Batch:
    """A micro-batch."""

    id: str
    #: The worker's log, which names its process.
    worker: str
    #: Each as `<run>.<row>`.
    rows: tuple[str, ...]
    #: The log's clock, in seconds since the epoch; None where the batch was never done.
    begun: float
    done: float | None = None
    #: Whether it was begun without knowing if others have its rows.
    unasked: bool = False

    def __str__(self) -> str:
        return f"micro-batch {self.id} of {self.worker}"


@dataclass(frozen=True)
class Receipt:
    """A row that a worker received."""

    #: `<run>.<row>`, and which of its messages it was.
    row: str
    sending: str
    worker: str
    when: float


class WorkerLog:
    """The log of one worker process, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.receipts: list[Receipt] = []
        #: Rows that were edited and recorded.
        self.succeeded: set[str] = set()
        self.batches: dict[str, Batch] = {}
        self.is_ready = False
        #: How often it said that Redis is away, and whether that was the last that it said of Redis.
        self.times_missed = 0
        self.misses = False
        self._in_hand: set[tuple[str, str]] = set()
        self._unasked = False
        self._read = 0

    @property
    def in_hand(self) -> set[str]:
        """Rows that were received and not yet answered."""
        return {row for row, _ in self._in_hand}

    def look(self) -> None:
        """Read what was written since the last look."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        # Of a line that is being written the rest comes with the next look.
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if found := _LINE.match(line):
                when = datetime.strptime(found["time"], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
                self._understand(found["text"], when)

    def _understand(self, text: str, when: float) -> None:
        self._unasked = self._unasked or _UNASKED in text
        if task := _TASK.match(text):
            self.misses = False
            self._task(task, when)
        elif batch := _BATCH.match(text):
            self._batch(batch, when)
        elif any(words in text for words in _MISSED):
            self.times_missed += 1
            self.misses = True
        elif _BACK in text:
            self.misses = False
        elif text.endswith(" ready.") and "@" in text:
            self.is_ready = True

    def _task(self, task: re.Match[str], when: float) -> None:
        message = (task["row"], task["sending"])
        if task["what"] == "received":
            self.receipts.append(Receipt(*message, self.path.stem, when))
            self._in_hand.add(message)
        else:
            self._in_hand.discard(message)
            if task["what"] == "succeeded":
                self.succeeded.add(task["row"])

    def _batch(self, batch: re.Match[str], when: float) -> None:
        if batch["done"]:
            self.batches[batch["id"]].done = when
        else:
            rows = tuple(batch["rows"].split())
            self.batches[batch["id"]] = Batch(batch["id"], self.path.stem, rows, begun=when, unasked=self._unasked)
            self._unasked = False
