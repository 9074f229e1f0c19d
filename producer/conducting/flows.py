"""What can be done with an open run, from beginning to end: edit, send, collect, retry."""

from collections.abc import Callable

from producer.collecting.alike import Alike
from producer.collecting.collector import Collector
from producer.collecting.display import Display
from producer.collecting.failing import Failing
from producer.collecting.progress import Status
from producer.conducting.crew import Crew, FleetElsewhere
from producer.conducting.failing import ended_by_failures
from producer.conducting.host import Host
from producer.conducting.planning import plan_of
from producer.run.open_run import Run
from producer.run.preconditions import require_broker, require_sent, require_wanted
from producer.sending.plan import Plan
from producer.sending.retry import Retried, Which, retry
from producer.sending.sender import Sender
from producer.sending.submit import submit


def edit(run: Run, host: Host, crew: Crew) -> Status:
    """Send what is to be edited, and wait for every answer; return the counts.

    Raises:
        RunError: the run cannot go on; nothing is lost.

    """
    host.agree(plan := plan_of(run, host.show, host.watch))
    with crew.at_work(), host.show() as report, ended_by_failures(run, host, report) as failing:
        collector = _collector(run, host, report, failing, plan)
        submit(run, _sender(run, host, collector, crew, report))
        host.all_noted()
        if run.ledger.unanswered:  # also rows that an earlier command sent
            crew.start(host.watch)
        return collector.follow(_checked(host, crew))


def send(run: Run, host: Host) -> int:
    """Send what is to be edited to workers elsewhere, and return how many rows were published.

    Raises:
        RunError: the run cannot go on; nothing is lost.

    """
    host.agree(plan := plan_of(run, host.show, host.watch))
    with host.show() as report, ended_by_failures(run, host, report) as failing:
        collector = _collector(run, host, report, failing, plan)
        crew = FleetElsewhere(run.settings, host.say)
        return submit(run, _sender(run, host, collector, crew, report))


def collect(run: Run, host: Host, crew: Crew | None = None, *, waits: bool = True) -> Status:
    """Collect the answers of rows that were sent: all of them, or (without `waits`) those that are there.

    `crew`: who edits them, where that is not workers elsewhere.

    Raises:
        RunError: rows were never sent to this Redis, or the run cannot go on.

    """
    host.all_noted()
    if run.ledger.unanswered:  # a finished run needs no Redis
        require_broker(run.settings, host.say, watch=host.watch)
    with host.show() as report, ended_by_failures(run, host, report, resumes=False) as failing:
        collector = _collector(run, host, report, failing)
        status = collector.drain()
        if not status.waiting or not waits:
            return status
        require_wanted(run)
        require_sent(run)
        crew = crew or FleetElsewhere(run.settings, host.say)
        crew.start(host.watch)
        return collector.follow(_checked(host, crew))


def retry_rows(run: Run, host: Host, which: Which) -> Retried:
    """Send rows again as they were, to workers elsewhere.

    Raises:
        RunError: the input cannot be read, or the run was cancelled meanwhile.

    """
    with host.show() as report:
        collector = _collector(run, host, report, Failing())
        return retry(run, _sender(run, host, collector, FleetElsewhere(run.settings, host.say), report), which)


def retry_and_follow(run: Run, host: Host, crew: Crew, which: Which) -> Status:
    """Send rows again as they were, and wait for every answer.

    Raises:
        RunError: the input cannot be read, or the run cannot go on.

    """
    with crew.at_work(), host.show() as report, ended_by_failures(run, host, report) as failing:
        collector = _collector(run, host, report, failing)
        retry(run, _sender(run, host, collector, crew, report), which)
        host.all_noted()
        if run.ledger.unanswered:
            crew.start(host.watch)
        return collector.follow(_checked(host, crew))


def _collector(run: Run, host: Host, report: Display, failing: Failing, plan: Plan | None = None) -> Collector:
    total = 0 if plan is None else plan.total
    return Collector(run, Alike(report, host.say), total=total, failing=failing, answered=host.answered)


def _sender(run: Run, host: Host, collector: Collector, crew: Crew, report: Display) -> Sender:
    return Sender(
        run,
        collector,
        check=_checked(host, crew),
        before_first=lambda: crew.make_ready(host.watch, report.stage),
        foresee=crew.foresee,
        noted=host.noted,
    )


def _checked(host: Host, crew: Crew) -> Callable[[Status], None]:
    def check(status: Status) -> None:
        host.watch()
        crew.check(status)

    return check
