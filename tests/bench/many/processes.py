"""What processes cost: CPU seconds of commands, of workers and of Redis."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from producer.local.redis import EmbeddedRedis, running
from tests.support.cli import CLI
from worker.contract.outcomes import open_redis

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a running process has used, threads and all."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@dataclass
class Command:
    """A command of the producer that was begun."""

    process: subprocess.Popen[str]

    def cpu(self) -> float:
        """Wait for its end, and return the CPU seconds that it used."""
        said = self.process.stderr.read() if self.process.stderr else ""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode == 0, said
        return usage.ru_utime + usage.ru_stime


def begin(cli: CLI, *arguments: object) -> Command:
    """Begin a command."""
    return Command(cli.begin(*arguments))


class Broker:
    """A Redis whose cost is known, on its append-only file as a fleet's is."""

    def __init__(self, server: EmbeddedRedis) -> None:
        self.url = server.url
        self._client = open_redis(server.url)
        self._client.config_set("appendfsync", "everysec")
        self._client.config_set("appendonly", "yes")

    def cpu(self) -> float:
        """Return the CPU seconds that it has used."""
        facts: Any = self._client.info("cpu")
        return float(facts["used_cpu_user"]) + float(facts["used_cpu_sys"])

    def in_hand(self) -> int:
        """Count the rows that workers hold."""
        held: Any = self._client.hlen("unacked")
        return int(held)

    def memory(self) -> int:
        """Return the bytes that its data take."""
        facts: Any = self._client.info("memory")
        return int(facts["used_memory"])


@contextmanager
def broker() -> Iterator[Broker]:
    """Run a Redis."""
    with TemporaryDirectory(prefix="fleet-bench-") as folder, running(Path(folder)) as server:
        yield Broker(server)
