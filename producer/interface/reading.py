"""Results out of a run's ledger: as they come, or in the input's order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from producer.interface.arrivals import Arrivals
from producer.interface.results import Result, result_of, texts_in
from producer.rows.line_object import fields_of
from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.numbers import Numbers
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.records import Answer, State
from worker.contract.errors import RowError

#: Rows per look into the ledger.
_CHUNK: Final = 1000


class ResultReader:
    """Reads the results of one run, whoever conducts it. Each look opens the ledger anew: threads do not share."""

    def __init__(self, folder: Path, arrivals: Arrivals) -> None:
        self._folder = folder
        self._arrivals = arrivals

    def as_they_come(self, ended: Callable[[], None]) -> Iterator[Result]:
        """Iterate over every row once: those that are answered now as they come, and then those that were before.

        `ended` is called when nothing more comes, and raises what has ended it; what is known is yielded first.
        """
        arrivals, seen = self._arrivals, Numbers()
        feed = arrivals.feed()
        try:
            is_last = is_looked_through = False
            while not is_last:
                arrivals.wait(partial(arrivals.has_news, feed, is_looked_through=is_looked_through))
                is_last, is_all_noted = arrivals.ended, arrivals.all_noted
                rows, overflowed = arrivals.taken(feed)
                yield from self._new(self._answers(rows), seen)
                # Before every row is noted, an answer in the ledger may be one to what a row was earlier.
                if is_all_noted and (overflowed or is_last or not is_looked_through):
                    is_looked_through = True
                    yield from self._new(self._all_answers(), seen)
            ended()
        finally:
            arrivals.close(feed)

    def in_order(self, ended: Callable[[], None]) -> Iterator[Result]:
        """Iterate over every row in the input's order, each as soon as it and all before it are answered; see above."""
        arrivals = self._arrivals
        arrivals.wait(lambda: arrivals.ended or arrivals.all_noted or bool(arrivals.noted))
        if arrivals.all_noted or arrivals.noted:
            for lines in in_chunks(self._lines(), _CHUNK):
                yield from self._ordered(lines)
        ended()

    def _ordered(self, lines: Sequence[Line]) -> Iterator[Result]:
        """Iterate over a few rows, as far as they are answered at all."""
        arrivals, is_last = self._arrivals, False
        answers: dict[int, Answer] = {}
        for place, line in enumerate(lines):
            while line.row not in answers and not is_last:
                changes, is_last = arrivals.changes, arrivals.ended
                rows = [line.row for line in lines[place:] if arrivals.all_noted or line.row in arrivals.noted]
                answers = {answer.row: answer for answer in self._answers(rows)}
                if line.row not in answers and not is_last:
                    arrivals.wait(partial(arrivals.has_changed, changes))
            if line.row in answers:
                yield self._result(answers[line.row], line)

    def _new(self, answers: Iterable[Answer], seen: Numbers) -> Iterator[Result]:
        kept = False
        for answer in answers:
            if answer.state is State.KEPT:  # its paths are in its line
                kept = True
            elif seen.add(answer.row):
                yield self._result(answer, None)
        if kept:
            for lines in in_chunks(self._lines(), _CHUNK):
                by_row = {line.row: line for line in lines}
                for answer in self._answers(by_row):
                    if answer.state is State.KEPT and seen.add(answer.row):
                        yield self._result(answer, by_row[answer.row])

    def _result(self, answer: Answer, line: Line | None) -> Result:
        kept = self._kept(line) if line is not None and answer.state is State.KEPT else ()
        return result_of(answer, self._folder.absolute(), kept, store=self._store)

    @cached_property
    def _store(self) -> str | None:
        """The prefix at an object store where the run's pictures are, which stay where they were begun."""
        with ledger_errors(self._folder), Ledger(self._folder, read_only=True) as ledger:
            return remembered(self._folder, ledger)[1].pictures

    def _kept(self, line: Line) -> list[str]:
        try:
            return [*texts_in(fields_of(line).get(self._output_key))]
        except RowError:  # it was kept, so this does not happen
            return []

    def _answers(self, rows: Iterable[int]) -> list[Answer]:
        wanted = [*rows]
        return self._asked(lambda ledger: ledger.answers(wanted)) if wanted else []

    def _all_answers(self) -> Iterator[Answer]:
        last = -1
        while answers := self._asked(lambda ledger: ledger.answers_after(last, _CHUNK)):  # noqa: B023 - at once
            yield from answers
            last = answers[-1].row

    def _asked(self, ask: Callable[[Ledger], list[Answer]]) -> list[Answer]:
        with ledger_errors(self._folder), Ledger(self._folder, read_only=True) as ledger:
            return ask(ledger)

    def _lines(self) -> Iterator[Line]:
        with ledger_errors(self._folder), Ledger(self._folder, read_only=True) as ledger:
            source, settings = remembered(self._folder, ledger)
        self._output_key = settings.output_image_key
        return read_lines(source.path)
