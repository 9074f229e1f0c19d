"""The fleet as a table."""

from typing import Any

from producer.commands.workers_table import fleet_in_words

FACTS: dict[str, Any] = {
    "queue": "q", "model": "demo", "busy": 0.97, "rows_per_s": 1.5, "rows_in_hand": 27, "profile": "exact",
    "version": "1.2.0", "rows": 398,
}  # fmt: skip


def test_the_fleet_is_a_table() -> None:
    """A worker of a version that tells less has fewer cells; without any there is a sentence."""
    assert fleet_in_words({"b@h": {"model": "flux"}, "a@h": FACTS}).splitlines() == [
        "worker  model  rows  rows/s  holds  busy  profile  version",
        "a@h     demo    398    1.50     27  97 %  exact    1.2.0",
        "b@h     flux",
    ]
    assert fleet_in_words({}) == "No worker is up."
