"""`producer queue-length`: one number, for scripts and autoscalers."""

from producer.exporting.metrics import FleetCollector
from producer.run.queue_length import queue_length
from tests.support.cli import CLI
from tests.support.scraping import named, samples_of
from tests.support.sending import send
from worker.contract.outcomes import open_redis
from worker.metrics.endpoint import new_registry
from worker.settings.fleet import load_settings


def test_it_is_one_number_of_all_runs_and_demands(cli: CLI, redis_url: str) -> None:
    """Rows that demand a profile wait in another queue, and count; so the command says, and so the metric does."""
    send(cli, ["Make it red."] * 3, "--detach", images=["a.png", "b.png", "c.png"])
    for number in range(2):
        more = ("submit", "in.jsonl", "--run-dir", f"r{number}", "--profile", "exact")
        assert cli(*more).returncode == 0
    counted = cli("queue-length", "demo")
    assert (counted.returncode, counted.stdout) == (0, "9\n")
    with open_redis(redis_url) as client:
        assert queue_length(client, "another") == 0
    registry = new_registry()
    settings = load_settings(diffuser_model_name="demo", broker_url=redis_url)
    registry.register(FleetCollector(settings, [], broker_url=redis_url))
    assert samples_of(registry)[named("fleet_model_rows", model="demo")] == 9


def test_what_cannot_be_counted_is_one_sentence(cli: CLI) -> None:
    """A model that is none, and a Redis that is away; nothing is on stdout, where a number is expected."""
    wrong = cli("queue-length", "SDXL")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "MODEL is SDXL: unknown model; there are FLUX-Kontext" in wrong.stderr
    away = cli("queue-length", "demo", "--broker", "redis://127.0.0.1:1/0")
    assert (away.returncode, away.stdout) == (1, "")
    assert "127.0.0.1:1/0 does not answer" in away.stderr
