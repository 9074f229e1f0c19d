"""What is to be remembered of a fault that struck."""

from dataclasses import dataclass

from tests.chaos.schedule import Kind


@dataclass(frozen=True, kw_only=True, eq=False)
class Stroke:
    """When a fault struck, whom, and what was at stake."""

    kind: Kind
    #: A worker's log, which names its process; or a command, or Redis.
    victim: str
    #: Seconds since the epoch.
    when: float
    #: Rows that the victim had received and not answered, each as `<run>.<row>`.
    held: frozenset[str] = frozenset()
