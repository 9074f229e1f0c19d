"""`producer queue-length`: one number, for whatever starts and ends workers."""

import click

from producer.commands.options import broker_option, task_option, weights_options
from producer.commands.terminal import say
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker
from producer.run.queue_length import queue_length
from worker.contract.catalog import MODELS, unknown
from worker.contract.outcomes import open_redis
from worker.settings.fleet import load_settings


@click.command("queue-length")
@click.argument("model", metavar="MODEL")
@weights_options
@task_option
@broker_option
def queue_length_command(
    model: str,
    *,
    hf_model_name_or_path: str | None,
    hf_revision: str | None,
    image_gen_task: str | None,
    broker_url: str | None,
) -> None:
    """Print how many rows wait for workers of MODEL (`producer models` lists them), of any run; none that one holds."""
    if model not in MODELS:
        raise click.UsageError(f"MODEL is {model}: {unknown(model)}.")
    settings = load_settings(
        diffuser_model_name=model,
        hf_model_name_or_path=hf_model_name_or_path,
        hf_revision=hf_revision,
        image_gen_task=image_gen_task,
        broker_url=broker_url,
    )
    require_broker(settings, say, writing=False, looking=True)
    with broker_errors(settings, looking=True), open_redis(settings.broker) as client:
        click.echo(queue_length(client, settings.model, settings.image_gen_task))
