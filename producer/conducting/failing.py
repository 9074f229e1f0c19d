"""What is done about rows that fail and fail: the run is ended, or somebody is asked, or told."""

from collections.abc import Iterator
from contextlib import contextmanager

from producer.collecting.display import Display
from producer.collecting.failing import Failing, TooManyFailed
from producer.conducting.host import Host
from producer.run.open_run import Run
from producer.run.preconditions import how_to_go_on
from producer.sending.cancel import withdraw
from worker.contract.counting import counted
from worker.contract.errors import RunError


@contextmanager
def ended_by_failures(run: Run, host: Host, report: Display, *, resumes: bool = True) -> Iterator[Failing]:
    """Yield what counts a run's failures; where they end it, cancel it, so that no worker goes on failing.

    `resumes`: whether the same command takes the run up again.

    Raises:
        RunError: it was ended; the sentence says of what, and how it goes on.

    """
    most = host.max_failed

    def goes_on(sentence: str) -> bool:
        if most is None:
            return host.goes_on(report, sentence)
        host.say(f"{sentence} The run goes on; with {host.max_failed_name} it would end.")
        return True

    try:
        yield Failing(most, goes_on, named=host.max_failed_name)
    except TooManyFailed as error:
        run.retrying(lambda: withdraw(run.settings, run.ledger.run))
        rows = counted(run.ledger.unanswered, "row is", "rows are")
        how = "the same command goes on" if resumes else how_to_go_on(run.folder)
        raise RunError(
            f"The run {run.folder} is ended: {str(error).rstrip('.')}. Nothing is lost, {rows} unanswered, and {how}."
        ) from None
