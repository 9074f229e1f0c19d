"""A run is shown by a bar on a terminal, by a line now and then in a log, and not at all where it is to be quiet."""

from io import StringIO

import pytest
from rich.console import Console

from producer.collecting.display import Lines, display
from producer.collecting.progress import Status

Said = list[str]


def shown(status: Status, *, terminal: bool, quiet: bool = False) -> str:
    """Show a status, and return what came of it."""
    text = StringIO()
    console = Console(file=text, force_terminal=terminal, width=120)
    with display(console, lambda sentence: print(sentence, file=text), quiet=quiet) as display_:
        display_.stage("waiting for the model")
        display_(status)
    return text.getvalue()


def status(done: int, total: int = 1000, **more: object) -> Status:
    """Make a status of a run that goes on."""
    return Status(**{"total": total, "done": done, "failed": 2, "waiting": 9, "rows_per_s": 0.5, **more})  # type: ignore[arg-type]


@pytest.fixture
def now() -> list[float]:
    """Hold the time."""
    return [0.0]


@pytest.fixture
def said() -> Said:
    """Hold what was said."""
    return []


@pytest.fixture
def lines(now: list[float], said: Said) -> Lines:
    """Show a run in a log."""
    return Lines(said.append, clock=lambda: now[0])


@pytest.mark.parametrize(("kept", "expected"), [(0, "1 failed · 0.50"), (3, "1 failed · 3 kept · 0.50")])
def test_kept_rows_stand_in_the_bar(kept: int, expected: str) -> None:
    """Rows that were left alone are part of what the bar has behind it, and named where there are some."""
    found = Status(total=kept + 2, done=1, failed=1, kept=kept, waiting=0, rows_per_s=0.5)
    text = shown(found, terminal=True)
    assert expected in text
    assert f"{kept + 2} of {kept + 2} rows (100 %)" in text


def test_a_terminal_gets_a_bar() -> None:
    """On a terminal the bar counts failed rows as answered."""
    assert "6 of 9 rows (66 %), about 0:00:02 left" in shown(
        Status(total=9, done=4, failed=2, waiting=3, rows_per_s=1.5), terminal=True
    )


def test_a_bar_shows_what_goes_on_before_the_first_row() -> None:
    """A model that takes minutes to load is seen to load."""
    text = StringIO()
    with display(Console(file=text, force_terminal=True, width=120), print) as bar:
        bar.stage("waiting for the model")
    assert "waiting for the model" in text.getvalue()


def test_a_log_gets_no_bar() -> None:
    """Where the output is no terminal, nothing is written before its time."""
    assert shown(status(1), terminal=False) == ""


def test_whoever_wants_it_quiet_has_it_quiet() -> None:
    """No bar, and no line."""
    assert shown(status(1), terminal=True, quiet=True) == ""


def test_a_line_comes_every_half_minute(lines: Lines, now: list[float], said: Said) -> None:
    """Also where nothing has happened, so that a log shows that the run lives; with the time that is left."""
    for now[0] in (0, 29, 30, 59, 61):
        lines(status(98))
    assert said == ["100 of 1,000 rows (10 %), 2 failed; 0.50 rows/s; about 0:30:00 left."] * 2


def test_much_news_comes_sooner(lines: Lines, now: list[float], said: Said) -> None:
    """A twentieth of the rows is news, ten seconds after the last line at the soonest."""
    for now[0], done in ((0, 0), (9, 900), (10, 40), (12, 50), (13, 400), (23, 400)):
        lines(status(done))
    assert [line.split()[0] for line in said] == ["52", "402"]


def test_a_line_names_what_is_worth_knowing(lines: Lines, now: list[float], said: Said) -> None:
    """Kept rows, other warnings, and how busy the GPUs are, where there is something to say."""
    for now[0] in (0, 31):
        lines(status(95, kept=3, warnings={"kept": 3, "instruction-cut": 4}, busy=0.934))
    assert said == [
        "100 of 1,000 rows (10 %), 2 failed, 3 kept, 4 warnings; 0.50 rows/s, 93 % busy; about 0:30:00 left."
    ]


def test_without_a_rate_nobody_knows_how_long(lines: Lines, now: list[float], said: Said) -> None:
    """Before the second answer there is no time left to be told."""
    for now[0] in (0, 31):
        lines(status(0, rows_per_s=0))
    assert said == ["2 of 1,000 rows (0 %), 2 failed; 9 on their way."]


def test_a_run_that_stands_still_says_how_long(lines: Lines, now: list[float], said: Said) -> None:
    """A rate of nothing would not tell whether it has just begun or hangs."""
    for now[0], done in ((0, 0), (100, 4), (190, 4), (221, 4)):
        lines(status(done, rows_per_s=0))
    assert said == [
        "6 of 1,000 rows (0 %), 2 failed.",
        "6 of 1,000 rows (0 %), 2 failed.",
        "6 of 1,000 rows (0 %), 2 failed; no answer for 0:02:01.",
    ]


def test_a_finished_run_is_not_under_way(lines: Lines, now: list[float], said: Said) -> None:
    """What is over is said by the run's last words alone."""
    for now[0] in (0, 40):
        lines(status(998, waiting=0))
    assert said == []


def test_what_goes_on_before_the_first_row_is_said(lines: Lines, now: list[float], said: Said) -> None:
    """A model that takes minutes to load is heard of."""
    for now[0] in range(70):
        lines.stage(f"waiting for the model, {now[0]} s")
    assert said == ["Waiting for the model, 30 s.", "Waiting for the model, 60 s."]
