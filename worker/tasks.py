"""The task that edits one row: taken in, edited in its turn, recorded, and only then acknowledged. Imports no torch."""

import logging
from collections.abc import Callable, Collection

import redis
from celery import Task
from celery.exceptions import Ignore, Reject

from worker.batching.jobs import Ticket
from worker.contract.errors import CrashedError, GivenBack, PassedOn, RowError, Unwanted
from worker.contract.messages import TASK_NAME, EditRequest, Outcome
from worker.contract.outcomes import OutcomeStream
from worker.delivery.isolation import Isolation
from worker.delivery.ownership import Note, Ownership
from worker.delivery.quarantine import Quarantine
from worker.delivery.requests import Dropped, RowRequest
from worker.editing.editor import RowEditor
from worker.editing.joining import Joining
from worker.editing.record import RowRecord
from worker.health.retrying import Retrying
from worker.metrics.observer import Observer
from worker.metrics.pace import Pace

logger = logging.getLogger(__name__)
#: For whoever follows every row (`worker.logs.setup`).
row_by_row = logging.getLogger("worker.rows")


def _is_plain(record: logging.LogRecord) -> bool:
    """Let Celery's line of a row that is given back pass without the traceback, which has nothing to tell."""
    if record.exc_info and isinstance(record.exc_info[1], Reject):
        record.exc_info = None
    return True


logging.getLogger("celery.app.trace").addFilter(_is_plain)


class EditTask(Task):
    """Edits one row; the message is acknowledged once its outcome is recorded."""

    name = TASK_NAME
    Request = RowRequest
    # A bad row is the user's, not the worker's: no traceback in the log.
    throws = (RowError,)

    def __init__(
        self,
        *,
        joining: Joining,
        editor: RowEditor,
        isolation: Isolation,
        quarantine: Quarantine,
        ownership: Ownership,
        retrying: Retrying,
        client: redis.Redis,
        observer: Observer,
        facts: Callable[[], dict[str, object]],
    ) -> None:
        """`facts` says how the model calculates and how busy it is, for whoever asks."""
        self.facts = facts
        self.pace = Pace()
        self._joining = joining
        self._editor = editor
        self._isolation = isolation
        self._quarantine = quarantine
        self._retrying = retrying
        self._ownership = ownership
        self._client = client
        self._observer = observer
        #: Tags of messages that are another worker's by now: to be forgotten, and neither acknowledged nor given back.
        self.let_go: set[str] = set()
        #: Tags of messages that go to a worker which has nothing to do, and what stands in Redis of who has their rows.
        self.passed_on: dict[str, Note] = {}

    def run(self, *args: object, **kwargs: object) -> dict[str, object]:
        """Edit the row of an `OwnPart`, the only argument; return what Flower shows of it.

        Raises:
            RowError: the row cannot be edited; its outcome says why, too.
            Ignore: nobody waits for it here.
            Reject: the row goes back to the queue, or the message is none of this version, or cannot be joined.

        """
        request = self._whole(args, kwargs)
        record = RowRecord(request, worker=self.request.hostname or "")
        ticket = Ticket(request.run, request.row, str(self.request.id), str(self.request.properties["delivery_tag"]))
        # Redis marks what was delivered before: the rows of a worker that died, and rows that were given back.
        is_suspect = bool((self.request.delivery_info or {}).get("redelivered"))
        try:
            # At once: whoever had it before lets go of it, also while it waits for its turn here.
            self._retrying.with_redis(lambda: self._ownership.take(ticket), request.name)
            edit = self._alone if is_suspect else self._among_others
            outcome = edit(request, record, ticket)
        except (GivenBack, Unwanted) as end:
            is_elsewhere = any(self._ownership.elsewhere([ticket]))
            if is_elsewhere:
                self.let_go.add(ticket.tag)
                if isinstance(end, PassedOn):  # by one that was frozen, and does not know yet what has become of it
                    end = Unwanted(f"row {ticket.row}: another worker has it.")
            if isinstance(end, Unwanted):
                self._observer.unwanted()
                row_by_row.info("row %s is dropped: %s", request.name, end)
                # Of one that another worker has, that one tells.
                raise (Ignore if is_elsewhere else Dropped)(str(end)) from None
            if isinstance(end, PassedOn):
                self._observer.given_back()
                self.passed_on[ticket.tag] = self._ownership.note(ticket)
                raise Reject("another worker has nothing to do", requeue=True) from None
            raise self._given_back() from None
        self.pace.answered()
        self._observer.answered(outcome, record.failure)
        if outcome.error is not None:
            record.tell(outcome.error)
            raise RowError(outcome.error)
        return record.shown(outcome)

    def drop(self, run: str) -> None:
        """Let go of the rows of a cancelled run."""
        self._editor.drop(run)

    def pass_on(self, tags: Collection[str]) -> bool:
        """Give back those of some messages whose rows wait behind others; return whether these are at work."""
        was_passed = self._isolation.pass_on(tags)
        return self._editor.pass_on(tags) or was_passed

    def _whole(self, args: tuple[object, ...], kwargs: dict[str, object]) -> EditRequest:
        try:
            return self._joining.request(args, kwargs)
        except GivenBack:
            raise self._given_back() from None

    def _given_back(self) -> Reject:
        self._observer.given_back()
        return Reject("the worker is shutting down", requeue=True)

    def _among_others(self, request: EditRequest, record: RowRecord, ticket: Ticket) -> Outcome:
        with self._isolation.shared(ticket.tag):
            return self._recorded(request, self._edited(request, record, ticket))

    def _alone(self, request: EditRequest, record: RowRecord, ticket: Ticket) -> Outcome:
        """Edit a row that may have killed a worker: nobody else is at work meanwhile, and a mark says which it is."""
        run, row, quarantine = request.run, request.row, self._quarantine
        with self._isolation.alone(ticket.tag):
            try:
                self._retrying.with_redis(lambda: quarantine.mark(run, row), request.name)
                return self._recorded(request, self._edited(request, record, ticket))
            except CrashedError as error:
                self._editor.clean_up(request)
                outcome = self._recorded(request, record.failed(error))
                self._retrying.with_redis(lambda: quarantine.clear(run, row), request.name)
                return outcome
            finally:
                self._retrying.with_redis(lambda: quarantine.lift(run, row), request.name)

    def _edited(self, request: EditRequest, record: RowRecord, ticket: Ticket) -> Outcome:
        try:
            self._editor.edit(request, record, ticket)
        except (GivenBack, Unwanted):
            raise
        except RowError as error:
            return record.failed(error)
        except Exception as error:
            logger.exception("row %s: nobody expected this", request.name)
            return record.failed(error)
        return record.done()

    def _recorded(self, request: EditRequest, outcome: Outcome) -> Outcome:
        stream = OutcomeStream(self._client, request.run)
        self._retrying.with_redis(lambda: stream.append(outcome), request.name)
        return outcome
