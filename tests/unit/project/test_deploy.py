"""The files under deploy/ that start the fleet: they parse, their commands can be typed, their promises are kept."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_lines import problems
from tests.support.place import PROJECT
from worker.settings.fleet import Settings

DEPLOY = PROJECT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
JOBS = sorted(DEPLOY.glob("slurm/*.sbatch"))

#: Whatever is longer than the slowest batch, in seconds, as in docker-compose.yml.
GRACE = 300


def name(path: Path) -> str:
    """Name a file for a person."""
    return path.name


def services(path: Path) -> dict[str, Any]:
    """Return the services of a compose file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["services"]
    return found


def unit(path: Path) -> configparser.ConfigParser:
    """Read a unit of systemd; of a key that comes more than once, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # case matters
    parser.read_string(path.read_text("utf-8"))
    return parser


def pods(file: str) -> list[dict[str, Any]]:
    """Return the specification of each pod that a file of Kubernetes starts."""
    documents = yaml.safe_load_all((DEPLOY / "kubernetes" / file).read_text("utf-8"))
    return [document["spec"]["template"]["spec"] for document in documents if "template" in document.get("spec", {})]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_variable_is_a_setting(path: Path) -> None:
    """Whatever a file sets of the fleet is there to be set."""
    found = set(re.findall(r"\bFLEET_([A-Z0-9_]+)", path.read_text("utf-8")))
    assert {variable.lower() for variable in found} <= set(Settings.model_fields)


@pytest.mark.parametrize("path", UNITS, ids=name)
def test_a_unit_starts_what_can_be_typed_and_starts_it_again(path: Path) -> None:
    """Its command parses, with systemd's own percent signs, and it is never given up."""
    service = unit(path)["Service"]
    assert [*problems(service["ExecStart"].replace("%%", "%").replace("%i", "0"))] == []
    assert service["Restart"] == "always"
    assert unit(path)["Unit"]["StartLimitIntervalSec"] == "0"


def test_a_worker_of_systemd_may_end_its_batch() -> None:
    """It alone gets the signal, and has time."""
    service = unit(DEPLOY / "systemd/bulk-image-editor-worker@.service")["Service"]
    assert service["KillMode"] == "mixed"
    assert service["TimeoutStopSec"] == f"{GRACE // 60}min"
    assert "CUDA_VISIBLE_DEVICES=%i" in (DEPLOY / "systemd/bulk-image-editor-worker@.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("path", UNITS, ids=name)
def test_systemd_takes_the_units(path: Path, tmp_path: Path) -> None:
    """Systemd itself has nothing to say against them, where the command is installed."""
    copy = tmp_path / path.name.replace("@", "@0")
    copy.write_text(path.read_text().replace("/opt/bulk-image-editor/bin/celery", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert copy.name not in checked.stderr


@pytest.mark.parametrize("path", JOBS, ids=name)
def test_a_job_of_slurm_is_a_script(path: Path) -> None:
    """The shell reads it, what it starts can be typed, and its workers may end their batch."""
    subprocess.run(["bash", "-n", str(path)], check=True)  # noqa: S607 - on the PATH
    script = path.read_text()
    lines = re.findall(r"\bexec ((?:producer|celery) [^'\n]*)", script)
    assert lines
    assert [problem for line in lines for problem in problems(line)] == []
    assert re.search(rf"^#SBATCH --signal=(?:B:)?TERM@{GRACE}$", script, re.MULTILINE)


def test_six_more_workers_are_as_the_first_two() -> None:
    """Each is the second worker of docker-compose.yml, but for its number."""
    first, more = services(PROJECT / "docker-compose.yml"), services(DEPLOY / "compose/eight-gpus.yml")
    assert [*more] == [f"gpu{number}" for number in range(2, 8)]
    for number, worker in enumerate(more.values(), start=2):
        text = yaml.safe_dump(first["gpu1"]).replace("gpu1", f"gpu{number}").replace("'1'", f"'{number}'")
        assert worker == yaml.safe_load(text)


def test_a_worker_in_kubernetes_has_one_gpu_and_time_to_end() -> None:
    """It is given the signal itself, and is not killed for a Redis that is away."""
    ((pod),) = pods("workers.yaml")
    (worker,) = pod["containers"]
    assert worker["resources"]["limits"] == {"nvidia.com/gpu": 1}
    assert pod["terminationGracePeriodSeconds"] == GRACE
    assert pod["shareProcessNamespace"]
    assert "livenessProbe" not in worker
    assert [*problems(shlex.join(worker["command"]))] == []
    assert [*problems(worker["readinessProbe"]["exec"]["command"][-1])] == []


def test_a_run_in_kubernetes_can_be_typed_and_ends() -> None:
    """What its pod runs parses, and is not tried again where that is of no use."""
    ((pod),) = pods("run.yaml")
    (producer,) = pod["containers"]
    lines = producer["command"][-1].replace("exec ", "").splitlines()
    assert [problem for line in lines for problem in problems(line)] == []
    (job,) = yaml.safe_load_all((DEPLOY / "kubernetes/run.yaml").read_text("utf-8"))
    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [2, 3]


def test_the_exporter_in_kubernetes_can_be_typed() -> None:
    """What its pod runs parses."""
    ((pod),) = pods("autoscaling.yaml")
    (exporter,) = pod["containers"]
    assert [*problems(shlex.join(exporter["command"]))] == []


@pytest.mark.parametrize("file", ["workers.yaml", "run.yaml", "autoscaling.yaml"])
def test_pods_see_no_variables_of_services(file: str) -> None:
    """A service's own begin with FLEET_, and no pod runs as root."""
    for pod in pods(file):
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"]


def test_redis_in_kubernetes_keeps_what_it_holds() -> None:
    """It asks for a password, never evicts, and writes to a volume of its own."""
    ((pod),) = pods("redis.yaml")
    script = pod["containers"][0]["command"][-1].splitlines()
    assert {"requirepass $REDISCLI_AUTH", "appendonly yes", "maxmemory-policy noeviction", "dir /data"} <= {*script}
