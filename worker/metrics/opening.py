"""Whether a worker's metrics are wanted, and where; the first thing of its start."""

import logging

from worker.contract.errors import SettingsError
from worker.metrics.endpoint import new_registry, serve
from worker.metrics.observer import Observer
from worker.metrics.prometheus import WorkerMetrics
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)


def open_metrics(settings: Settings) -> Observer:
    """Open the endpoint that the settings name, and return what is to be told; without a port that goes nowhere.

    Raises:
        SystemExit: it cannot be opened; a sentence in the log says why.

    """
    if settings.metrics_port is None:
        return Observer()
    registry = new_registry()
    metrics = WorkerMetrics(registry)
    try:
        serve(registry, address=settings.metrics_address, port=settings.metrics_port)
    except SettingsError as error:
        logger.critical("%s", error)
        raise SystemExit(1) from None
    logger.info("metrics at http://%s:%d/metrics", settings.metrics_address, settings.metrics_port)
    return metrics
