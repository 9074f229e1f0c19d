"""Options of `celery worker` that would undo the fleet: refused by what Celery itself makes of a command line."""

import pytest
from celery.bin.base import CLIContext
from celery.bin.worker import worker as command

from tests.support.place import PROJECT
from worker.celery import connect
from worker.contract.errors import SettingsError
from worker.contract.messages import queue_name
from worker.delivery.options import COMPARED, REFUSED, RefuseOptions
from worker.settings.fleet import load_settings

QUEUE = queue_name("demo")

#: Options that change nothing of what the fleet relies on.
HONOURED = {
    *("hostname", "detach", "statedb", "loglevel", "optimization", "disable_prefetch", "task_events", "include"),
    *("without_gossip", "without_mingle", "without_heartbeat", "heartbeat_interval", "schedule_filename", "scheduler"),
    *("logfile", "pidfile", "uid", "gid", "umask", "executable"),
}


@pytest.fixture(autouse=True)
def _demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_DIFFUSER_MODEL_NAME", "demo")


def refusal(caplog: pytest.LogCaptureFixture, *arguments: str) -> str:
    """Make a worker that is refused; return the sentence that says why."""
    with pytest.raises(SystemExit) as ended:
        begin(*arguments)
    assert ended.value.code == 1
    (sentence,) = caplog.messages
    return sentence


def begin(*arguments: str) -> None:
    """Make a worker of a command line, as `celery worker` does, and do not start it."""
    app = connect(load_settings())
    app.steps["worker"].add(RefuseOptions)
    context = CLIContext(app=app, no_color=True, workdir=None)
    parsed = command.make_context("worker", [*arguments], obj=context, auto_envvar_prefix="CELERY_WORKER")
    if parsed.args:
        app.config_from_cmdline(parsed.args, namespace="worker")
    app.WorkController(use_eventloop=False, **parsed.params)


@pytest.mark.parametrize(
    ("arguments", "begins", "instead"),
    [
        ("-P solo", "--pool is refused: ", "leave it out."),
        ("--pool=threads", "--pool is refused: ", "leave it out."),
        ("--pool=processes", "--pool is refused: ", "leave it out."),
        ("-c 1", "--concurrency=1 is refused: a worker holds 27 rows", "set FLEET_ROWS_IN_FLIGHT instead."),
        ("--prefetch-multiplier 4", "--prefetch-multiplier=4 is refused: ", "set FLEET_ROWS_IN_FLIGHT instead."),
        ("--prefetch-multiplier -1", "--prefetch-multiplier=-1 is refused: ", "set FLEET_ROWS_IN_FLIGHT instead."),
        (
            "-Q fleet.other",
            f"--queues=fleet.other is refused: a worker takes the rows of its own model, from {QUEUE}",
            "",
        ),
        (f"-Q {QUEUE},other", f"--queues={QUEUE},other is refused: ", "FLEET_HF_MODEL_NAME_OR_PATH."),
        (f"-X {QUEUE}", "--exclude-queues is refused: ", "FLEET_HF_MODEL_NAME_OR_PATH."),
        ("--autoscale 8", "--autoscale is refused: ", "set FLEET_ROWS_IN_FLIGHT instead."),
        ("--time-limit 60", "--time-limit is refused: ", "set FLEET_BATCH_TIMEOUT instead."),
        ("--soft-time-limit 60", "--soft-time-limit is refused: ", "set FLEET_BATCH_TIMEOUT instead."),
        ("--max-tasks-per-child 9", "--max-tasks-per-child is refused: ", "leave it out."),
        ("--max-memory-per-child 9", "--max-memory-per-child is refused: ", "the memory of the whole worker."),
        ("--purge", "--purge is refused: it would throw away the waiting rows", "takes back those of one."),
        ("-B", "--beat is refused: ", "leave it out."),
        ("-- task.acks_late=false", "Celery's setting task_acks_late is refused: ", "leave it out."),
        ("-- task.time_limit=60", "--time-limit is refused: ", "set FLEET_BATCH_TIMEOUT instead."),
        (
            "-- worker.prefetch_multiplier=4",
            "Celery's setting worker_prefetch_multiplier is refused: ",
            "leave it out.",
        ),
    ],
)
def test_an_option_that_would_undo_the_fleet_is_refused(
    caplog: pytest.LogCaptureFixture, arguments: str, begins: str, instead: str
) -> None:
    """The worker ends before anything is started, in one sentence that names the option and what to set instead."""
    sentence = refusal(caplog, *arguments.split())
    assert sentence.startswith(begins)
    assert sentence.endswith(instead)
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "-P prefork",  # Celery's default: it means the configured pool
        "-c 27",
        f"-Q {QUEUE}",
        "-X other",
        "-O fair",
        "-E --without-gossip --without-mingle --without-heartbeat --heartbeat-interval 5",
        "--disable-prefetch",
        "-n gpu0@%h -l INFO",
        "--scheduler some:Scheduler",
    ],
)
def test_an_option_that_changes_nothing_is_honoured(arguments: str) -> None:
    """What is harmless, or what the fleet does anyway, does not end a worker."""
    begin(*arguments.split())


def test_a_variable_of_celerys_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Celery's command line reads each of its options from a variable, too, and whoever set it looks for that."""
    monkeypatch.setenv("CELERY_WORKER_CONCURRENCY", "3")
    assert refusal(caplog).startswith("CELERY_WORKER_CONCURRENCY=3 is refused: ")


def test_a_sigterm_that_means_another_signal_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Celery's cold shutdown would leave the rows in hand to the visibility timeout."""
    monkeypatch.setenv("REMAP_SIGTERM", "SIGQUIT")
    assert refusal(caplog).startswith("REMAP_SIGTERM is refused: ")


def test_every_option_of_celerys_is_known_here() -> None:
    """A new version of Celery with a new option makes somebody say what it means for the fleet."""
    assert {parameter.name for parameter in command.params} == {*REFUSED, *COMPARED, *HONOURED}


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"])
def test_another_broker_than_the_fleets_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Celery lets its own variables win: rows would be sent to one Redis, and their outcomes awaited in another."""
    monkeypatch.setenv(name, "redis://:s3cret@other/0")
    with pytest.raises(SettingsError, match=f"^{name} .* names another broker") as refused:
        connect(load_settings(broker_url="redis://host/0"))
    assert "s3cret" not in str(refused.value)
    monkeypatch.setenv(name, "redis://host/0")
    connect(load_settings(broker_url="redis://host/0"))


def test_what_is_refused_is_documented() -> None:
    """The page about faults names every option that is refused."""
    page = (PROJECT / "docs/faults.md").read_text()
    assert [name for name in (*REFUSED, *COMPARED) if f"`--{name.replace('_', '-')}`" not in page] == []
