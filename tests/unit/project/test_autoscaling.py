"""The example for KEDA: it is what KEDA's API takes, and reads what the exporter shows of what it scales."""

from typing import Any
from urllib.parse import urlsplit

import promql_parser
import pytest
import yaml
from pydantic import ValidationError

from producer.exporting.metrics import METRICS
from tests.support.keda import MetricsApi, ScaledObject
from tests.support.place import PROJECT
from worker.settings.fleet import Settings

FOLDER = PROJECT / "deploy/kubernetes"


def documents(file: str) -> dict[str, dict[str, Any]]:
    """Return the documents of a file by their kinds."""
    found = yaml.safe_load_all((FOLDER / file).read_text("utf-8"))
    return {document["kind"]: document for document in found}


@pytest.fixture
def scaled() -> ScaledObject:
    """Read the ScaledObject."""
    return ScaledObject.model_validate(documents("autoscaling.yaml")["ScaledObject"])


@pytest.fixture
def triggers(scaled: ScaledObject) -> list[MetricsApi]:
    """Return what it reads."""
    return [trigger.metadata for trigger in scaled.spec.triggers]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["spec", "maxReplicaCount"], "8"),
        (["spec", "maxReplicas"], 8),
        (["spec", "triggers", 0, "metadata", "targetValue"], 200),
        (["spec", "triggers", 0, "metadata", "format"], "text"),
        (["apiVersion"], "keda.sh/v1"),
    ],
)
def test_what_the_api_does_not_take_is_seen(path: list[Any], value: object) -> None:
    """The check itself sees a wrong name, a number for a text, and a text for a number."""
    document = documents("autoscaling.yaml")["ScaledObject"]
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ValidationError):
        ScaledObject.model_validate(document)


def test_it_scales_the_workers(scaled: ScaledObject) -> None:
    """Its target is the Deployment of the workers, which it may end, and which it begins with as many at most."""
    workers = documents("workers.yaml")["Deployment"]
    target = scaled.spec.scaleTargetRef
    assert (target.kind, target.name) == ("Deployment", workers["metadata"]["name"])
    assert scaled.spec.minReplicaCount <= scaled.spec.maxReplicaCount == workers["spec"]["replicas"]


def test_it_reads_what_the_exporter_shows(triggers: list[MetricsApi]) -> None:
    """Each place is a selector of one metric of the exporter, by its own labels, and the model is the default one."""
    for trigger in triggers:
        selector: Any = promql_parser.parse(trigger.valueLocation)
        labels, _ = METRICS[selector.name]
        matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
        assert {*matchers} == {*labels}  # so that it is one number
        assert matchers.get("model", Settings().model) == Settings().model


def test_it_asks_the_exporter(triggers: list[MetricsApi]) -> None:
    """The URL is that of the service, whose pods answer at this port to others."""
    found = documents("autoscaling.yaml")
    (port,) = found["Service"]["spec"]["ports"]
    pod = found["Deployment"]["spec"]["template"]
    assert found["Service"]["spec"]["selector"] == pod["metadata"]["labels"]
    (container,) = pod["spec"]["containers"]
    assert container["command"][-4::3] == ["--address", str(port["port"])]
    for trigger in triggers:
        url = urlsplit(trigger.url)
        assert (url.hostname, url.port, url.path) == (found["Service"]["metadata"]["name"], port["port"], "/metrics")


def test_a_worker_is_kept_for_what_it_holds(triggers: list[MetricsApi]) -> None:
    """A worker's hands are full with as many rows as the file says."""
    (in_hand,) = (one for one in triggers if one.valueLocation == "fleet_broker_rows_in_hand")
    assert int(in_hand.targetValue) == Settings().in_flight
