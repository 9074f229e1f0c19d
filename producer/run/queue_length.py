"""How many rows of a model wait: the one number by which a fleet is made larger or smaller."""

import redis

from producer.run.queues import waiting_in
from worker.contract.messages import queue_names


def queue_length(client: redis.Redis, model: str) -> int:
    """Count the rows that wait in all queues of a model, of whichever run and demand; none that a worker holds."""
    return sum(waiting_in(client, queue) for queue in queue_names(model))
