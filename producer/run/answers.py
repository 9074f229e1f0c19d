"""Outcomes that are news, taken together: what they change in a ledger's counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from producer.run.records import Known, State
from worker.contract.messages import Outcome

#: Where a row has no answer yet. NOTED: the producer died after it had published the row and before it noted that.
_UNANSWERED: Final = frozenset({State.SENT, State.NOTED})


def news_among(outcomes: Iterable[Outcome], known: Mapping[int, Known]) -> list[Outcome]:
    """Return the answers to unanswered rows in their present form, of each row the first."""
    news: dict[int, Outcome] = {}
    for outcome in outcomes:
        row = known.get(outcome.row)
        if row is not None and row.state in _UNANSWERED and row.fingerprint == outcome.fingerprint:
            news.setdefault(outcome.row, outcome)
    return [*news.values()]


def state_after(outcome: Outcome) -> State:
    """Return where a row stands once it is answered."""
    return State.DONE if outcome.status == "done" else State.FAILED


def moves(news: Iterable[Outcome], known: Mapping[int, Known]) -> Counter[tuple[State, State]]:
    """Count the rows by their state before and after."""
    return Counter((known[outcome.row].state, state_after(outcome)) for outcome in news)


def tallied(news: Iterable[Outcome]) -> dict[str, int]:
    """Return what answers add to the counts by worker, of images and of batches."""
    counts: Counter[str] = Counter()
    for outcome in news:
        counts[f"worker:{outcome.worker}"] += 1
        counts["images"] += outcome.turns * len(outcome.paths)
        if outcome.batch_size is not None:
            counts["batched"] += 1
            counts["full"] += outcome.batch_size == outcome.batch_limit
            counts["gpu_milliseconds"] += round(1000 * outcome.share)
    return {key: n for key, n in counts.items() if n}
