"""The page on metrics, the dashboard and the alerts speak of what is really exported."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from producer.exporting.metrics import METRICS
from producer.exporting.watching import STATES
from tests.support.place import PROJECT
from worker.metrics.endpoint import new_registry
from worker.metrics.failures import MEANING
from worker.metrics.observer import Ready
from worker.metrics.prometheus import WorkerMetrics

PAGE = (PROJECT / "docs/metrics.md").read_text()
DASHBOARD = PROJECT / "deploy/grafana/dashboard.json"
ALERTS = PROJECT / "deploy/prometheus/alerts.yml"
SCRAPING = PROJECT / "deploy/prometheus/prometheus.yml"

#: What Prometheus itself adds to whatever it reads.
BY_PROMETHEUS = {"job", "instance"}


def exposition() -> str:
    """Return all that a worker on a GPU shows."""
    registry = new_registry()
    memory = {"allocated": 1, "reserved": 2, "free": 3, "total": 4}
    WorkerMetrics(registry).ready(
        Ready(
            worker="w0@host",
            model="demo",
            profile="exact",
            seconds={"compile": 60.0},
            busy=lambda: 0.5,
            rows_in_hand=lambda: 3,
            gpu_memory=lambda: memory,
        )
    )
    return generate_latest(registry).decode()


@cache
def exported() -> dict[str, set[str]]:
    """Return the labels of every series that is exported, by its name."""
    found: dict[str, set[str]] = defaultdict(set, {"up": set()})
    for family in text_string_to_metric_families(exposition()):
        for sample in family.samples:
            found[sample.name] |= set(sample.labels)
    return {**found, **{name: set(labels) for name, (labels, _) in METRICS.items()}}


def worker_lines() -> Iterator[str]:
    """Make the lines of the page's table of a worker's metrics."""
    for family in text_string_to_metric_families(exposition()):
        if family.name.startswith("process_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        yield _line(name, family.type, labels, family.documentation)


def exporter_lines() -> Iterator[str]:
    """Make the lines of the page's table of the exporter's metrics."""
    for name, (labels, words) in METRICS.items():
        yield _line(name, "gauge", labels, words)


def _line(name: str, kind: str, labels: Any, words: str) -> str:
    return f"| `{name}` | {kind} | {' '.join(f'`{label}`' for label in labels)} | {words} |"


def expressions() -> list[Any]:
    """Return every expression of the dashboard and of the alerts, with where it stands."""
    dashboard = json.loads(DASHBOARD.read_text())
    found = [
        (f"panel {panel['title']}", target["expr"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]
    found += [(f"alert {rule['alert']}", rule["expr"]) for rule in rules()]
    return [pytest.param(text, id=where) for where, text in found]


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def selectors(expression: Any) -> Iterator[Any]:
    """Yield what an expression reads: each series that it names, with its matchers."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (part := getattr(expression, name, None)) is not None:
            yield from selectors(part)
    for part in getattr(expression, "args", ()) or ():
        yield from selectors(part)


def test_the_page_has_every_metric() -> None:
    """Each metric has its line, with type, labels and words as they are exported, and there is no other."""
    lines = [line for line in PAGE.splitlines() if re.match(r"\| `fleet_", line)]
    assert lines == [*worker_lines(), *exporter_lines()]


def test_the_page_has_every_kind_of_failure_and_every_state() -> None:
    """So that a label's value can be looked up."""
    for name, words in {**MEANING, **STATES}.items():
        assert f"\n| `{name}` | {words} |\n" in PAGE


@pytest.mark.parametrize("text", expressions())
def test_an_expression_reads_what_is_exported(text: str) -> None:
    """It parses, each series in it is exported, and each label that it selects by is one of that series."""
    found = [*selectors(promql_parser.parse(_plain(text)))]
    assert {selector.name for selector in found} == set(re.findall(r"\b(?:up|(?:fleet|process)_\w+)\b", _plain(text)))
    for selector in found:
        assert selector.name in exported()
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= exported()[selector.name] | BY_PROMETHEUS


@pytest.mark.parametrize("text", expressions())
def test_an_expression_groups_by_what_is_there(text: str) -> None:
    """Each label that it groups or joins by, and each that a legend shows, is one of some series that it reads."""
    labels = {
        label.strip()
        for listed in re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", text)
        for label in listed.split(",")
    }
    there = set().union(*(exported()[one.name] for one in selectors(promql_parser.parse(_plain(text)))))
    assert labels <= there | BY_PROMETHEUS


def test_no_metric_is_left_unseen() -> None:
    """Whatever of the fleet is exported is on the dashboard or in an alert."""
    texts = f"{DASHBOARD.read_text()} {ALERTS.read_text()}"
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported() if name.startswith("fleet_")}
    assert [name for name in sorted(families) if name not in texts] == []


def test_every_alert_says_what_to_do() -> None:
    """One sentence that says what is, one that says what to do, and how urgent it is."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert all(rule["annotations"][part].endswith(".") for part in ("summary", "description"))


def test_the_jobs_of_the_alerts_are_there() -> None:
    """A job that an alert selects by is one of the example's, which also names the file of the alerts."""
    example = yaml.safe_load(SCRAPING.read_text())
    jobs = {job["job_name"] for job in example["scrape_configs"]}
    assert {job for rule in rules() for job in re.findall(r'job="([^"]*)"', rule["expr"])} <= jobs
    assert example["rule_files"] == [ALERTS.name]


def test_panels_are_found_one_by_one() -> None:
    """Each has an id of its own, a title and a description, and none lies over another."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel.get("description") for panel in panels if panel["type"] != "row")
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        tiles = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not tiles & taken, panel["title"]
        taken |= tiles


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (in Debian: prometheus)")
@pytest.mark.parametrize(("what", "file"), [("rules", ALERTS), ("config", SCRAPING)])
def test_promtool_takes_the_files(what: str, file: Path) -> None:
    """Prometheus' own tool has nothing to say against them."""
    checked = subprocess.run(["promtool", "check", what, file], capture_output=True, text=True, check=False)  # noqa: S607 - on the PATH
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _plain(text: str) -> str:
    return text.replace("$__rate_interval", "5m")
