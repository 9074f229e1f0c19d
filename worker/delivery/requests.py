"""Celery's view of a row: one that nobody waits for any more is revoked, and no failure that would ring an alarm."""

from typing import Any

from billiard.einfo import ExceptionInfo, ExceptionWithTraceback
from celery.exceptions import Ignore
from celery.worker.request import Request


class Dropped(Ignore):
    """The row's run was cancelled, or a newer form of the row was submitted."""


class RowRequest(Request):
    """A row's message in this worker's hands. Its events go out on the event loop's thread, as all of Celery's do."""

    def on_failure(self, exc_info: ExceptionInfo, *args: Any, **kwargs: Any) -> None:
        """Acknowledge a dropped row, and say to whoever looks on that it was revoked; Celery would say nothing."""
        super().on_failure(exc_info, *args, **kwargs)
        error = exc_info.exception
        if isinstance(error.exc if isinstance(error, ExceptionWithTraceback) else error, Dropped):
            self.send_event("task-revoked", terminated=False, signum=None, expired=False)
