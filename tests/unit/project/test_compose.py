"""What the container files promise: closed doors, one GPU per worker, one data path, no root."""

from typing import Any

import pytest
import yaml

from tests.support.place import PROJECT

WORKER = "celery -A worker worker "

Service = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    """Every service of the compose file, with its variables not yet replaced."""
    compose: dict[str, dict[str, Service]] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text("utf-8"))
    return compose["services"]


@pytest.fixture(scope="module")
def workers(services: dict[str, Service]) -> dict[str, Service]:
    """All services that run a worker."""
    found = {name: service for name, service in services.items() if is_worker(service)}
    assert len(found) >= 2
    return found


def is_worker(service: Service) -> bool:
    """Tell a worker by its command."""
    return str(service.get("command", "")).startswith(WORKER)


def gpus(worker: Service) -> list[str]:
    """Ids of all GPUs that a worker reserves."""
    devices = worker["deploy"]["resources"]["reservations"]["devices"]
    return [gpu for device in devices for gpu in device["device_ids"]]


def data_mounts(service: Service) -> list[tuple[str, str]]:
    """(outside, inside) of each folder of the host that a service sees."""
    mounts = [mount for mount in service["volumes"] if isinstance(mount, dict)]
    return [(mount["source"], mount["target"]) for mount in mounts if mount["type"] == "bind"]


def redis_settings(services: dict[str, Service]) -> list[str]:
    """Lines of the configuration that Redis starts with."""
    script: str = services["redis"]["command"][-1]
    return script.splitlines()


def test_redis_publishes_no_port(services: dict[str, Service]) -> None:
    """Redis is reachable only from the other containers."""
    assert not {"ports", "network_mode"} & services["redis"].keys()


def test_redis_asks_for_a_password(services: dict[str, Service]) -> None:
    """Redis starts with the password from the environment, and compose refuses to start without one."""
    assert "requirepass $$REDISCLI_AUTH" in redis_settings(services)
    assert services["redis"]["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")


def test_redis_keeps_an_append_only_file(services: dict[str, Service]) -> None:
    """What Redis holds is on a named volume within a second."""
    assert {"appendonly yes", "appendfsync everysec"} <= set(redis_settings(services))
    assert "redis:/data" in services["redis"]["volumes"]


def test_redis_never_evicts(services: dict[str, Service]) -> None:
    """A full Redis refuses new rows and never drops queued ones."""
    assert "maxmemory-policy noeviction" in redis_settings(services)


def test_everyone_uses_the_same_broker(services: dict[str, Service]) -> None:
    """Every service but Redis itself gets the same broker address, password included."""
    urls = {s["environment"]["FLEET_BROKER_URL"] for name, s in services.items() if name != "redis"}
    assert len(urls) == 1
    assert urls.pop().startswith("redis://:${REDIS_PASSWORD")


def test_each_worker_has_a_gpu_of_its_own(workers: dict[str, Service]) -> None:
    """Each worker reserves exactly one GPU, and no two the same."""
    reserved = [gpus(worker) for worker in workers.values()]
    assert all(len(ids) == 1 for ids in reserved)
    assert len({ids[0] for ids in reserved}) == len(workers)


def test_a_worker_is_pinged_under_its_own_name(workers: dict[str, Service]) -> None:
    """The health check of a worker asks that worker, not any that happens to answer."""
    for name, worker in workers.items():
        assert worker["command"].endswith(f"-n {name}@%h")
        assert f'-d "{name}@$$HOSTNAME"' in worker["healthcheck"]["test"][-1]


def test_workers_get_the_hub_token(workers: dict[str, Service]) -> None:
    """Workers can download gated models."""
    assert all("${HF_TOKEN" in worker["environment"]["HF_TOKEN"] for worker in workers.values())


def test_workers_stay_inside_the_data_folder(workers: dict[str, Service]) -> None:
    """Workers read and write below the shared folder only, whatever a message says."""
    for worker in workers.values():
        assert {worker["environment"][f"FLEET_{side}_ROOT"] for side in ("INPUT", "OUTPUT")} == {"${DATA_DIR}"}


def test_a_worker_that_ends_is_started_again(workers: dict[str, Service]) -> None:
    """Workers end on purpose where a GPU is broken; their supervisor is Docker."""
    assert {worker["restart"] for worker in workers.values()} == {"unless-stopped"}


def test_flower_asks_for_a_password(services: dict[str, Service]) -> None:
    """Flower takes its password from the environment, and compose refuses to start without one."""
    assert services["flower"]["environment"]["FLOWER_BASIC_AUTH"].startswith("${FLOWER_BASIC_AUTH:?")


def test_flower_is_published_on_loopback_only(services: dict[str, Service]) -> None:
    """Flower's pages open on this machine only."""
    assert [port.rpartition(":")[0] for port in services["flower"]["ports"]] == ["127.0.0.1:5555"]


def test_data_is_at_the_same_path_everywhere(services: dict[str, Service]) -> None:
    """An absolute path means the same file to the producer, to every worker and to the host."""
    for service in [services["producer"], *filter(is_worker, services.values())]:
        [(outside, inside)] = data_mounts(service)
        assert outside.startswith("${DATA_DIR:?")
        assert inside == "${DATA_DIR}"


@pytest.mark.parametrize("package", ["worker", "producer"])
def test_images_do_not_run_as_root(package: str) -> None:
    """Each image ends as a user without privileges."""
    lines = (PROJECT / package / "Dockerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1].partition(":")[0] not in {"root", "0"}
