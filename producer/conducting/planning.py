"""What is about to be done with a run's rows: found out and said before anything is changed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Final

from producer.collecting.display import Display
from producer.conducting.host import Show
from producer.rows.lines import Line, count_lines, read_lines
from producer.rows.parser import RowParser
from producer.rows.source import Source
from producer.run.decisive import differences, earlier_base, earlier_settings
from producer.run.ledger import Ledger
from producer.run.open_run import Run
from producer.run.preconditions import is_forgotten
from producer.run.rates import seconds_per_step
from producer.run.records import State
from producer.sending.plan import Plan, by_counts, by_rows
from worker.settings.fleet import Settings

#: Rows whose comparing takes long enough to say how far it is, and how often that is said.
_MANY: Final = 20_000
_OFTEN: Final = 1000


def plan_of(run: Run, show: Show, watch: Callable[[], None]) -> Plan:
    """Find out what is to be done with the rows of a run's input; `show` tells how far that is, `watch` may end it.

    Raises:
        RunError: the input cannot be read.

    """
    # As `Sender.take_up` does it.
    is_gone = run.retrying(lambda: is_forgotten(run.stream, run.revocations))
    return plan(run.source, run.settings, run.ledger, run.parser, whole=False, is_gone=is_gone, show=show, watch=watch)


def plan(
    source: Source,
    settings: Settings,
    ledger: Ledger | None,
    parser: RowParser,
    *,
    whole: bool,
    is_gone: bool,
    show: Show,
    watch: Callable[[], None] = lambda: None,
) -> Plan:
    """Find out the same of a run that need not be there: then `ledger` is None.

    `is_gone`: whether nothing of it is on its way any more, since its Redis has ended, or it was cancelled.

    Lines are compared where options have changed that decide pictures, or all of it is wanted (`whole`); else the
    counts say enough.
    """
    earlier = None if ledger is None else earlier_settings(ledger)
    then = parser
    because: tuple[str, ...] = ()
    if ledger is not None and earlier is not None:
        base = earlier_base(ledger, parser.base)
        then = parser.under(earlier, base)
        because = differences(earlier, settings, base, parser.base)
    states: Counter[State] = Counter() if ledger is None else ledger.states()
    at_stake = states[State.DONE] or (states[State.SENT] and not is_gone)
    total = count_lines(source.path)
    if not whole and not (because and at_stake):
        return by_counts(total, states, is_gone=is_gone)
    with show(passing=True) if total >= _MANY else nullcontext() as report:
        lines = _told(read_lines(source.path), total, report, watch)
        found = by_rows(lines, ledger, parser, None if earlier is None else then, because, is_gone=is_gone)
    rate = None if ledger is None else seconds_per_step(ledger, settings)
    found.gpu_seconds = None if rate is None else round(rate * found.steps, 3)
    return found


def _told(lines: Iterator[Line], total: int, report: Display | None, watch: Callable[[], None]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if not number % _OFTEN:
            watch()
            if report is not None:
                report.stage(f"reading the input: {number:,} of {total:,} rows")
        yield line
