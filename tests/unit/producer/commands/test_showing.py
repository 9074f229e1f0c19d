"""A run and the fleet as text."""

from dataclasses import replace
from typing import Any

import pytest

from producer.collecting.causes import Cause, Failure
from producer.collecting.in_redis import Queue
from producer.collecting.progress import Status
from producer.collecting.shares import Share
from producer.collecting.status import View
from producer.commands.showing import run_in_words

STATUS = Status(
    total=1000, done=400, failed=2, kept=8, waiting=590, unsent=90, rows_per_s=2.0, workers={"a@h": 398, "b@h": 4},
    images=400, gpu_seconds=100, answered_at={"a@h": 995.0, "b@h": 700.0}, warnings={"instruction-cut": 3},
    run="0123456789abcdef", folder="/shared/run", model="demo",
)  # fmt: skip
FACTS: dict[str, Any] = {
    "queue": "q", "model": "demo", "busy": 0.97, "rows_per_s": 1.5, "rows_in_hand": 27, "profile": "exact",
    "version": "1.2.0", "rows": 398,
}  # fmt: skip
VIEW = View(
    status=STATUS,
    causes=[Cause("image: no such file", 2, Failure(4, "image /x: no such file."))],
    uncollected=6,
    owner="`producer collect`, process 7 on h",
    queue=Queue("q", 480, 27),
    fleet={"a@h": FACTS, "c@h": {"queue": "other", "model": "flux", "profile": "fast"}},
    now=1000.0,
)


def test_a_run_is_told_in_lines() -> None:
    """All that there is to know of it, and of each worker that answers or has answered."""
    assert run_in_words(VIEW).splitlines() == [
        "run       0123456789abcdef of demo, in /shared/run",
        "state     at work: `producer collect`, process 7 on h",
        "rows      1,000 (41 %): 400 done, 2 failed, 8 kept, 590 waiting, 90 of them not sent yet, 6 not collected yet",
        "rate      2.00 rows/s, about 0:04:55 left",  # 590 / 2
        "failed    2 image: no such file (such as row 4)",
        "warnings  3 instruction-cut",
        "images    400 in 100.0 s of the model's time, 0.25 s each",
        "queue     480 rows wait in q; workers hold 27",
        "",
        "worker  rows  rows/s  holds  busy  profile  version             last answer",
        "a@h      398    1.50     27  97 %  exact    1.2.0    up         0:00:05 ago",
        "b@h        4                                         no answer  0:05:00 ago",
        "Up for other rows: c@h (flux)",
    ]


def test_a_worker_that_drains_is_still_the_runs() -> None:
    """It takes rows of no queue any more, answers nevertheless, and has some in hand."""
    draining = {**FACTS, "queues": [], "draining": True, "rows_in_hand": 3}
    lines = run_in_words(replace(VIEW, fleet={"a@h": draining})).splitlines()
    assert "a@h      398    1.50      3  97 %  exact    1.2.0    drains     0:00:05 ago" in lines
    assert not [line for line in lines if "other rows" in line]


@pytest.mark.parametrize(
    ("view", "state"),
    [
        (replace(VIEW, owner=None), "nobody collects it: producer collect /shared/run"),
        (replace(VIEW, status=replace(STATUS, cancelled=True)), "cancelled; the same `producer submit` takes it up"),
        (replace(VIEW, status=replace(STATUS, waiting=0)), "every row is answered, and waits to be collected"),
        (replace(VIEW, owner=None, queue=None), "stopped, and its Redis has ended with it; the same `producer run`"),
    ],
)
def test_the_state_says_what_becomes_of_it(view: View, state: str) -> None:
    """And what to do, where something is to be done."""
    assert f"\nstate     {state}" in run_in_words(view)


def test_a_run_without_a_worker_says_how_to_start_one() -> None:
    """It stands still."""
    told = run_in_words(replace(VIEW, fleet={}, no_worker="No worker is up.", status=replace(STATUS, rows_per_s=0)))
    assert "\nrate      nothing was answered in the last minutes\n" in told
    assert told.endswith("\n\nNo worker is up.")


def test_a_finished_run_is_short() -> None:
    """Nobody is asked, and nothing said that nobody knows."""
    done = Status(total=2, done=2, failed=0, waiting=0, rows_per_s=0, run="r", folder="/r", model="demo")
    assert run_in_words(View(status=done, causes=[])).splitlines() == [
        "run       r of demo, in /r",
        "state     every row is answered",
        "rows      2 (100 %): 2 done",
    ]


def test_rows_that_differ_are_told() -> None:
    """See `producer.collecting.alike`."""
    made = [{"profile": profile, "weights": "", "contract": 3, "rows": 1, "workers": ["a"]} for profile in ("x", "y")]
    assert "\ndiffers   Workers calculate differently" in run_in_words(
        replace(VIEW, status=replace(STATUS, calculations=made))
    )


def test_a_run_beside_others_tells_its_share() -> None:
    """By its priority, as workers take turns; one that has them alone says nothing, unless somebody has set another."""
    assert "\npriority" not in run_in_words(replace(VIEW, priority=5, share=Share(5, 1, 1.0)))
    assert "\npriority  7\n" in run_in_words(replace(VIEW, priority=7, share=Share(7, 1, 1.0)))
    assert "\npriority  7\n" in run_in_words(replace(VIEW, priority=7, share=None))
    told = run_in_words(replace(VIEW, priority=5, share=Share(5, 3, 0.25)))
    assert "\npriority  5; 25 % of the rows that workers take, while 3 runs wait for them\n" in told
