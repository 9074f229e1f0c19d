"""How many rows of a model wait: the one number by which a fleet is made larger or smaller."""

import redis

from producer.run.queues import waiting_in
from worker.contract.messages import all_queue_names, queue_names
from worker.contract.parameters import Task


def queue_length(client: redis.Redis, model: str, task: Task | None = None) -> int:
    """Count the rows that wait in all queues of a model, of whichever run and demand; none that a worker holds.

    `task`: of which task alone.
    """
    lanes = all_queue_names(model) if task is None else queue_names(model, task)
    return sum(waiting_in(client, lane) for lane in lanes)
