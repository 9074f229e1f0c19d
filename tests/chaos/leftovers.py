"""What a finished run has left behind: in its folder, in Redis, among the processes."""

import os
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

import redis

from tests.chaos.fleet import Fleet
from worker.contract.messages import queue_name
from worker.contract.outcomes import open_redis

#: Keys that stay without a date on which they go, as docs/faults.md says: kombu's, which say which queues there are,
#: and answers to a command that asked who is up and did not wait for all of them.
_LASTING = ["_kombu.binding.*", "_kombu.binding_deadlines", "_kombu.binding_permanent.*", "*.reply.celery.pidbox"]

#: Of messages on their way.
_UNACKED = ["unacked", "unacked_index"]


def on_their_way(client: redis.Redis) -> list[str]:
    """Return the keys in Redis that hold messages: in a queue, of whatever priority, or with a worker."""
    queue = queue_name("demo")
    keys = [key.decode() for key in client.scan_iter()]
    return [key for key in keys if key.startswith(queue) or key in _UNACKED]


def in_redis(url: str) -> list[str]:
    """Return a sentence for each key that should not be there, or not for ever."""
    with open_redis(url) as client:
        lasting = sorted(key.decode() for key in client.scan_iter() if client.ttl(key) == -1)
        on_way = on_their_way(client)
    return [f"messages are left in {key}" for key in on_way] + [
        f"{key} stays in Redis for ever"
        for key in lasting
        if key not in on_way and not any(fnmatch(key, pattern) for pattern in _LASTING)
    ]


def in_folder(folder: Path, rows: int) -> list[str]:
    """Return a sentence for each file of a run folder that is none of a finished run's."""
    pictures = {f"sample_{row}/sample_{row}_0.png" for row in range(rows)}
    expected = {"run.sqlite", "run.lock", "output.jsonl"} | pictures
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    found = {
        str(path) for path in files if path.parts[0] != "gallery"
    }  # made by whoever collected last, or killed there
    return [f"{name} is left in {folder}" for name in sorted(found - expected)] + [
        f"{name} is missing in {folder}" for name in sorted(expected - found)
    ]


def of_processes(fleet: Fleet) -> list[str]:
    """Return a sentence for each worker that left processes of its own behind."""
    complaints = []
    for group in fleet.groups:
        with suppress(ProcessLookupError):
            os.killpg(group, 0)
            complaints.append(f"processes of the group {group} are left")
    return complaints
