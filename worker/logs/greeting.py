"""The first line of a worker's log: who it is, and which rows it takes from where."""

import logging

from worker.contract.broker_url import shown
from worker.contract.version import own_version
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)


def greet(name: str, settings: Settings) -> None:
    """Say it, in place of Celery's banner."""
    logger.info(
        "%s, bulk-image-editor %s: takes rows of %s, %d at a time, from %s at %s",
        name,
        own_version(),
        settings.model,
        settings.in_flight,
        settings.lane,
        shown(settings.broker),
    )
