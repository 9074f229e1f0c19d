"""The stores' file systems, one per process: fsspec's, which find credentials and endpoints as stores' own tools do."""

import logging
import os
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any, Final

from worker.contract.errors import RowError
from worker.contract.urls import STORES

#: Connections at a time: a worker has dozens of threads.
_CONNECTIONS: Final = 64

#: What they would say of each request has signatures and headers in it.
_TALKATIVE: Final = (
    "aiobotocore", "aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "httpcore", "httpx", "s3fs", "urllib3",
)  # fmt: skip

_opening: Final = Lock()


class NotInstalled(RowError):  # noqa: N818 - as a package is
    """The package that reads a store is missing on this machine."""


def filesystem(scheme: str) -> Any:
    """Return fsspec's file system of a store; any number of threads may use it, and each process has its own.

    Raises:
        NotInstalled: its package is missing; the sentence says how it is installed.

    """
    with _opening:
        return _opened(scheme, os.getpid())  # connections do not survive a fork


@lru_cache
def _opened(scheme: str, process: int) -> Any:
    del process
    package = STORES[scheme]
    try:
        import_module(package)
        fsspec = import_module("fsspec")
    except ImportError:
        wanted = "'bulk-image-editor[storage]'" if scheme == "s3" else package
        raise NotInstalled(f"{scheme}:// needs {package} on this machine (pip install {wanted})") from None
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    opened = fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **_options(scheme, fsspec))
    if scheme == "s3":
        opened.retries = 1  # what fails is tried again by `worker.storage.objects`, and in no second place
    return opened


def _options(scheme: str, fsspec: Any) -> dict[str, Any]:
    if scheme != "s3":
        return {}
    own = {"max_pool_connections": _CONNECTIONS, "retries": {"total_max_attempts": 1}}
    return {"config_kwargs": {**own, **fsspec.config.conf.get("s3", {}).get("config_kwargs", {})}}
