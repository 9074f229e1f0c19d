"""What a producer revokes of rows on their way, on a real Redis."""

from pathlib import Path

import pytest

from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from worker.contract.outcomes import open_redis
from worker.contract.revocations import Revocations


@pytest.fixture
def revocations(redis_url: str) -> Revocations:
    """Open a run's revocations."""
    return Revocations(open_redis(redis_url), "0123456789abcdef")


def test_only_the_older_form_of_a_row_is_superseded(revocations: Revocations) -> None:
    """A row that was submitted again in a newer form: the old fingerprint counts no more, the new one does."""
    assert revocations.why_unwanted(3, "old") is None
    revocations.supersede({3: "new"}, {})
    assert revocations.why_unwanted(3, "old") == "a newer form of it was submitted"
    assert revocations.why_unwanted(3, "new") is None
    assert revocations.why_unwanted(4, "old") is None


@pytest.mark.parametrize("forms", ["abc", "aba", "a-a", "a-b"], ids=" then ".join)
def test_the_form_that_was_submitted_last_always_counts(revocations: Revocations, tmp_path: Path, forms: str) -> None:
    """However often a row changes on its way, also into an error ("-") and back, its last form is never dropped."""
    with Ledger(tmp_path) as ledger:
        for form in forms:
            digest = None if form == "-" else form
            noted = ledger.note([Entry(0, digest, State.FAILED if digest is None else State.NOTED)])
            revocations.supersede(noted.superseded, dict.fromkeys(noted.wanted & noted.known, form))
            ledger.sent(noted.wanted)
        assert revocations.why_unwanted(0, forms[-1]) is None
        assert revocations.why_unwanted(0, "another") is not None


def test_a_cancelled_run_wants_no_row_until_it_is_taken_up_again(revocations: Revocations) -> None:
    """Cancelling counts for every row of the run, in whatever form, and can be taken back."""
    for _ in range(2):
        revocations.cancel()
    assert revocations.cancelled
    assert revocations.why_unwanted(0, "any") == "its run was cancelled"
    for _ in range(2):
        revocations.take_up()
    assert not revocations.cancelled
    assert revocations.why_unwanted(0, "any") is None
