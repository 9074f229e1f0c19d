"""Whether an input is, letter by letter, what all rows of a run were made from, so that none is made again."""

import hashlib
import json
from collections.abc import Iterable, Iterator

from producer.rows.lines import Line
from producer.run.database import AS_SENT
from producer.run.open_run import Run
from worker.contract.version import own_version


class Reading:
    """One reading of a run's input, from its first line to its last."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._digest = hashlib.blake2b(digest_size=16)

    def through(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Hand lines on, and take note of them."""
        for place, line in enumerate(lines):
            if line.row != place:  # its seed and its folder follow from it
                self._digest.update(b"%d\t" % line.row)
            self._digest.update(line.text.encode("utf-8", "surrogatepass") + b"\n")
            yield line

    def remember(self) -> None:
        """Note that the ledger has every row as these lines have it."""
        self._run.ledger.put(AS_SENT, self._digest_of_all())

    @staticmethod
    def is_known(run: Run) -> bool:
        """Tell whether there is a reading to compare with."""
        return bool(run.ledger.get(AS_SENT))

    def is_as_sent(self) -> bool:
        """Tell whether these were the lines, and the run's settings and folders the same."""
        return self._run.ledger.get(AS_SENT) == self._digest_of_all()

    def _digest_of_all(self) -> str:
        run = self._run
        beside = [
            own_version(),
            run.ledger.get("settings"),
            run.settings.model,
            str(run.source.base.absolute()),
            str(run.folder.absolute()),
        ]
        return hashlib.blake2b(self._digest.digest() + json.dumps(beside).encode(), digest_size=16).hexdigest()
