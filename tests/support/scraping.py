"""Reading a metrics endpoint as Prometheus does."""

import urllib.request
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

#: Values by name and labels, as in `fleet_worker_rows_total{outcome="done"}`.
Samples = Mapping[str, float]


def scrape(port: int) -> Samples:
    """Fetch every sample that an endpoint on this machine shows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return samples_in(answer.read().decode())


def samples_of(registry: CollectorRegistry) -> Samples:
    """Return every sample that a registry would show."""
    return samples_in(generate_latest(registry).decode())


def samples_in(text: str) -> Samples:
    """Read samples in Prometheus' own format."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {named(sample.name, **sample.labels): sample.value for sample in samples}


def named(name: str, **labels: str) -> str:
    """Name a sample."""
    listed = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{listed}}}" if labels else name
