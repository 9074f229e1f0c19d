"""The producer on a real Redis, with no worker at all."""

import json
import re
import signal

import pytest

from tests.support.by_hand import answer, answer_all, requests, rows_in_queue, write_rows
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.servers import running_redis
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis
from worker.contract.revocations import Revocations


@pytest.fixture
def five(cli: CLI) -> CLI:
    """Have an input of five rows."""
    write_rows(cli, 5)
    return cli


def test_submit_publishes_one_task_per_row(five: CLI, redis_url: str) -> None:
    """Each row becomes one message in its model's queue, with absolute paths and its own seed."""
    done = five("submit", "in.jsonl", "--run-dir", "r")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "r\n"
    sent = requests(redis_url)
    assert [request.row for request in sent] == [0, 1, 2, 3, 4]
    assert [request.images for request in sent] == [(f"{five.folder}/{number}.png",) for number in range(5)]
    assert {request.output_dir for request in sent} == {f"{five.folder}/r"}
    assert len({request.seed for request in sent}) == 5


def test_submitting_again_sends_nothing_twice(five: CLI, redis_url: str) -> None:
    """Rows that are on their way are not published again."""
    for _ in range(2):
        assert five("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert len(requests(redis_url)) == 5


def test_a_redis_that_lost_everything_gets_the_unanswered_rows_again(five: CLI, redis_url: str) -> None:
    """After Redis came back empty, the same command sends the unanswered rows, and only those."""
    five("submit", "in.jsonl", "--run-dir", "r")
    answer(redis_url, requests(redis_url)[1])
    assert five("collect", "r", "--no-wait").returncode == 4
    open_redis(redis_url).flushall()
    again = five("submit", "in.jsonl", "--run-dir", "r")
    assert again.returncode == 0
    assert again.stderr.startswith("Plan: 4 rows to edit (4 that are not done yet); left alone: 1 finished.\n")
    assert rows_in_queue(redis_url) == [0, 2, 3, 4]


def test_a_redis_to_which_nothing_was_sent_is_refused(five: CLI) -> None:
    """Collecting from another address than the rows were sent to is probably a mistake: nothing is sent there."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with running_redis() as other:
        stuck = five("collect", "r", "--broker", other.url)
        assert stuck.returncode == 1
        assert f"5 rows of the run r are not in Redis at {other.url}" in stuck.stderr
        assert requests(other.url) == []


def test_a_run_remembers_its_own_settings(five: CLI, redis_url: str) -> None:
    """Variables that are set after the submission do not change what the run was submitted with."""
    five("submit", "in.jsonl", "--run-dir", "r")
    for request in requests(redis_url):
        answer(redis_url, request)
    later = CLI(five.folder, {**five.settings, "diffuser_num_inference_steps": 3, "hf_revision": "x", "output": "o"})
    collected = later("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert collected.stdout == "r/output.jsonl\n"


def test_rows_that_were_never_sent_are_not_waited_for(five: CLI, redis_url: str) -> None:
    """A row that was appended after the submission is named, and the rest is written."""
    five("submit", "in.jsonl", "--run-dir", "r")
    for request in requests(redis_url):
        answer(redis_url, request)
    write_jsonl(five.folder / "in.jsonl", [*read_jsonl(five.folder / "in.jsonl"), row("6.png", "Make it red.")])
    collected = five("collect", "r")
    assert collected.returncode == 1
    assert "1 row of" in collected.stderr
    assert len(read_jsonl(five.folder / "r/output.jsonl")) == 6


def test_stale_and_doubled_answers_are_not_counted(five: CLI, redis_url: str) -> None:
    """Without a collector, `status` counts each row once, and only answers to its present form."""
    five("submit", "in.jsonl", "--run-dir", "r")
    first, *_ = requests(redis_url)
    for _ in range(3):
        answer(redis_url, first)
    answer(redis_url, first.model_copy(update={"row": 1}))
    status = json.loads(five("status", "r", "--json").stdout)
    assert (status["done"], status["waiting"]) == (1, 4)


def test_an_outcome_that_outlived_its_redis_still_counts(five: CLI, redis_url: str) -> None:
    """A worker that records its row after Redis was emptied: the next submission takes it, and sends the others."""
    five("submit", "in.jsonl", "--run-dir", "r")
    in_hand = requests(redis_url)[2]
    open_redis(redis_url).flushall()
    answer(redis_url, in_hand)
    again = five("submit", "in.jsonl", "--run-dir", "r")
    assert again.returncode == 0, again.stderr
    assert [request.row for request in requests(redis_url)] == [0, 1, 3, 4]


def test_a_changed_row_is_sent_again_and_its_old_answer_does_not_count(five: CLI, redis_url: str) -> None:
    """An answer to a row's older form leaves the newer form unanswered."""
    five("submit", "in.jsonl", "--run-dir", "r")
    old = requests(redis_url)[0]
    write_jsonl(five.folder / "in.jsonl", [row("0.png", "Make it blue."), *read_jsonl(five.folder / "in.jsonl")[1:]])
    assert five("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    new = requests(redis_url)[-1]
    assert (new.row, new.prompt) == (0, "Make it blue.")
    assert Revocations(open_redis(redis_url), old.run).why_unwanted(0, old.fingerprint)
    answer(redis_url, old)
    status = json.loads(five("status", "r", "--json").stdout)
    assert five("collect", "r", "--no-wait").returncode == 4
    assert json.loads(five("status", "r", "--json").stdout)["done"] == 0
    assert status["total"] == 5


def test_collect_without_waiting_writes_what_is_there(five: CLI, redis_url: str) -> None:
    """With --no-wait unanswered rows have an empty output, no error, and the exit code is 4."""
    five("submit", "in.jsonl", "--run-dir", "r")
    answer(redis_url, requests(redis_url)[2])
    collected = five("collect", "r", "--no-wait", "--output", "partial.jsonl")
    assert collected.returncode == 4
    assert collected.stdout == "partial.jsonl\n"
    assert "1 row done, 0 failed, 4 unanswered" in collected.stderr
    made = read_jsonl(five.folder / "partial.jsonl")
    assert [fields["output_image"] for fields in made] == [[], [], ["./r/sample_2/sample_2_0.png"], [], []]
    assert not any("error" in fields for fields in made)


def test_a_submission_larger_than_its_window_collects_while_it_waits(five: CLI, redis_url: str) -> None:
    """At most --max-queued rows are unanswered at a time; answers make room for the others."""
    process = five.begin("submit", "in.jsonl", "--run-dir", "r", "--max-queued", 2)
    answered: set[int] = set()
    seen = {request.row: request for request in requests(redis_url)}
    while len(seen) < 5:
        known = set(seen)
        wait_until(lambda: {r.row for r in requests(redis_url)} - known or process.poll() is not None, "a row")  # noqa: B023
        assert process.poll() in {None, 0}
        seen |= {request.row: request for request in requests(redis_url)}
        assert len(seen.keys() - answered) <= 2
        for number in seen.keys() - answered:
            answer(redis_url, seen[number])
            answered.add(number)
    stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "r\n")


def test_detach_refuses_more_rows_than_the_window(five: CLI, redis_url: str) -> None:
    """--detach never waits, so an input beyond the window is refused before anything is sent."""
    refused = five("submit", "in.jsonl", "--run-dir", "r", "--detach", "--max-queued", 4)
    assert refused.returncode == 2
    assert "--detach takes at most 4 rows (--max-queued), found 5." in refused.stderr
    assert requests(redis_url) == []
    assert five("submit", "in.jsonl", "--run-dir", "r", "--detach").returncode == 0


def test_a_run_without_a_worker_says_so_and_waits(five: CLI, redis_url: str) -> None:
    """Where no worker is up, collect says it in one sentence and goes on waiting until the rows are answered."""
    five("submit", "in.jsonl", "--run-dir", "r")
    process = five.begin("collect", "r")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("No worker is up for demo; the run waits for one")
    assert process.poll() is None
    for request in requests(redis_url):
        answer(redis_url, request)
    assert process.wait(30) == 0


def test_a_second_owner_is_refused_and_told_who_holds_the_run(five: CLI) -> None:
    """Two commands never work on one run at once."""
    five("submit", "in.jsonl", "--run-dir", "r")
    first = five.begin("collect", "r")
    try:
        wait_until((five.folder / "r/run.lock").read_text, "the first holds the lock")
        second = five("collect", "r")
        assert second.returncode == 1
        assert re.fullmatch(
            rf"Error: The run folder r is in use by `producer collect`, process {first.pid} on \S+\.\n", second.stderr
        )
        assert json.loads(five("status", "r", "--json").stdout)["waiting"] == 5
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=30)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("submit", "absent.jsonl"), 2, "does not exist"),
        (("submit", "empty.jsonl"), 2, "empty.jsonl holds no rows."),
        (("submit", "in.jsonl", "--model", "FLUX.2"), 2, "FLEET_DIFFUSER_MODEL_NAME: unknown model"),
        (("submit", "in.jsonl", "--num-images", "0"), 2, "FLEET_NUM_IMAGES"),
        (("submit", "in.jsonl", "--size", "huge"), 2, "FLEET_SIZE"),
        (("submit", "in.jsonl", "--shard-folders", "0"), 2, "FLEET_SHARD_FOLDERS: input should be greater than"),
        (("submit", "in.jsonl", "--shard-folders", "10001"), 2, "FLEET_SHARD_FOLDERS: input should be less than"),
        (("submit", "in.jsonl", "--output", "r/sample_0/o", "--run-dir", "r"), 2, "is for the images of a row"),
        (("submit", "in.jsonl", "--output", "r/shard_0000/sample_0/o", "--run-dir", "r"), 2, "images of a row"),
        (("submit", "in.jsonl", "--output-image-key", "images"), 2, "must differ"),
        (("submit", "in.jsonl", "--run-dir", "in.jsonl"), 1, "The run folder in.jsonl is a file"),
        (("submit", "in.jsonl", "--run-dir", ""), 2, "Invalid value for '--run-dir': it is empty."),
        (("submit", "in.jsonl", "--guidance", "nan"), 2, "input should be a finite number (found nan)"),
        (("submit", "in.jsonl", "--run-dir", "/proc/r"), 1, "The run folder /proc/r cannot be used"),
        (("submit", "in.jsonl", "--broker", "redis://:secret@127.0.0.1:1/0"), 1, "redis://:**@127.0.0.1:1/0"),
        (("submit", "in.jsonl", "--output", "in.jsonl"), 2, "the output would overwrite"),
        (("run", "in.jsonl", "--workers", "none"), 2, "--workers takes a positive number or auto"),
        (("collect", "."), 1, "holds no run"),
        (("status", "."), 1, "holds no run"),
        (("status", "absent"), 1, "There is no folder absent;"),
        (("collect", "in.jsonl"), 1, "in.jsonl is a file; name the run's folder"),
        (("collect", ""), 2, "Invalid value for 'DIR': it is empty."),
        (("status", "--broker", "redis://:secret@127.0.0.1:1/0"), 1, "does not answer"),
    ],
)
def test_a_users_mistake_is_one_sentence(five: CLI, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    """Wrong usage ends with 2, anything else that stands in the way with 1; never a traceback, never a password."""
    (five.folder / "empty.jsonl").write_text("\n\n")
    wrong = five(*arguments)
    assert wrong.returncode == code, wrong.stderr
    assert sentence in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert "secret" not in wrong.stderr
    assert wrong.stdout == ""


def test_every_option_has_its_variable(cli: CLI, redis_url: str) -> None:
    """An option's FLEET_* variable does the same as the option."""
    write_jsonl(cli.folder / "in.jsonl", [{"picture": "a.png", "say": ["Make it red."]}])
    settings = {
        "input_image_key": "picture",
        "input_conversation_key": "say",
        "seed": 5,
        "num_images": 2,
        "run_dir": "x",
    }
    by_variable = CLI(cli.folder, {**cli.settings, **settings, "diffuser_num_inference_steps": 3, "size": "input"})
    assert by_variable("submit", "in.jsonl").stdout == "x\n"
    options = ["--input-image-key", "picture", "--input-conversation-key", "say", "--seed", 5, "--num-images", 2]
    assert cli("submit", "in.jsonl", *options, "--steps", 3, "--size", "input", "--run-dir", "y").stdout == "y\n"
    one, other = requests(redis_url)
    assert one.fingerprint == other.fingerprint
    assert (one.steps, one.num_images, one.size) == (3, 2, "input")


LEFT_ALONE = (
    "2 of 3 rows have output_image already and are left alone; if that is a column of the data set's own, name another"
    " for the output with --output-image-key.\n"
)


def test_rows_that_are_left_alone_are_not_done(cli: CLI, redis_url: str) -> None:
    """A column of the data set's own may be called as ours: such rows are counted by themselves, and it is said why."""
    (cli.folder / "target.png").touch()
    rows = [row("a.png", "Make it red.", output_image=name) for name in ("target.png", "gone/1.png")]
    write_jsonl(
        cli.folder / "in.jsonl", [*rows, row("a.png", "Make it red.", output_image={"path": "", "bytes": None})]
    )
    submitted = cli("submit", "in.jsonl", "--run-dir", "r")
    assert rows_in_queue(redis_url) == [2]
    assert LEFT_ALONE in submitted.stderr
    status = json.loads(cli("status", "r", "--json").stdout)
    assert {name: status[name] for name in ("total", "done", "failed", "kept", "waiting")} == {
        "total": 3, "done": 0, "failed": 0, "kept": 2, "waiting": 1,
    }  # fmt: skip
    answer(redis_url, requests(redis_url)[0])
    collected = cli("collect", "r")
    assert collected.returncode == 0
    assert "1 row done, 0 failed, 2 kept, 0 unanswered" in collected.stderr
    assert LEFT_ALONE in collected.stderr
    assert "1 of them names a file that is not there (line 2: gone/1.png)" in collected.stderr


def test_another_column_for_the_output_edits_them(cli: CLI, redis_url: str) -> None:
    """With the option that the sentence names, the data set's column is like any other, and stays."""
    write_jsonl(cli.folder / "in.jsonl", [row("a.png", "Make it red.", output_image="target.png")])
    submitted = cli("submit", "in.jsonl", "--run-dir", "r", "--output-image-key", "edited")
    assert "left alone" not in submitted.stderr
    answer(redis_url, requests(redis_url)[0])
    assert cli("collect", "r").returncode == 0
    (made,) = read_jsonl(cli.folder / "r/output.jsonl")
    assert (made["output_image"], made["edited"]) == ("target.png", ["./r/sample_0/sample_0_0.png"])


def test_what_an_earlier_version_left_is_said(five: CLI, redis_url: str) -> None:
    """One sentence of whoever sends or collects, and the run goes on with its own rows."""
    open_redis(redis_url).lpush("fleet.v3.demo.2a97516c", "row")
    said = "1 row waits in fleet.v3.demo.2a97516c, where an earlier version sent them and no worker of this one looks: "
    assert said in five("submit", "in.jsonl", "--run-dir", "r").stderr
    answer_all(redis_url)
    collected = five("collect", "r")
    assert (collected.returncode, said in collected.stderr) == (0, True)
