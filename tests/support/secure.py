"""A Redis that speaks TLS and knows its users, and where it comes from."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
import redis

from tests.support.certificates import Certificates, make_certificates
from tests.support.debian import install
from tests.support.servers import RedisServer

#: All that the fleet's user may do.
FLEET_RIGHTS = (
    "~fleet* ~unacked* ~_kombu.* ~celeryev.* ~*.celery.pidbox* &/0.celery.pidbox &/0.celeryev/*"
    " +@read +@write +@pubsub +@transaction +@scripting +@connection +time -@dangerous"
)


@dataclass(kw_only=True)
class SecureRedis(RedisServer):
    """A server that talks TLS with the users `fleet` and `reader`, who may only look, and with nobody else."""

    port: int
    certificates: Certificates
    password: str

    @property
    def url(self) -> str:
        """The broker's URL."""
        return self.url_of("fleet", self.password)

    def url_of(self, user: str, password: str, *, scheme: str = "rediss", trusting: bool = True) -> str:
        """Return a user's URL; without `trusting` it does not name the authority."""
        options = f"?ssl_ca_certs={self.certificates.authority}" if trusting else ""
        return f"{scheme}://{user}:{quote(password, safe='')}@localhost:{self.port}/0{options}"

    def inspector(self) -> redis.Redis:
        """Connect as somebody who may do everything, which nothing of the fleet does."""
        return redis.Redis(unix_socket_path=f"{self.folder}/redis.sock", username="inspector")


@contextmanager
def running_secure_redis(password: str) -> Iterator[SecureRedis]:
    """Run a server until the end of the tests; skip them where there is none, but in CI install one."""
    program = _program()
    with TemporaryDirectory(prefix="fleet-redis-") as name:
        folder = Path(name)
        (folder / "users.acl").write_text(
            # By its digest, so that a search for the password in this folder finds what the fleet has brought.
            f"user default off\nuser fleet on #{sha256(password.encode()).hexdigest()} {FLEET_RIGHTS}\n"
            "user reader on nopass ~* &* +@read +@connection\nuser inspector on nopass ~* &* +@all\n"
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        made = make_certificates(folder)
        command = [
            *(program, "--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", str(made.authority)),
            *("--tls-cert-file", str(made.server), "--tls-key-file", str(made.server_key)),
            *("--aclfile", f"{folder}/users.acl"),
        ]
        server = SecureRedis(folder, command, port=port, certificates=made, password=password)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _program() -> str:
    found = _find()
    if found is None and os.environ.get("CI"):
        install("redis-server", "openssl")
        found = _find()
        assert found is not None, "Debian's redis-server speaks TLS"
    if found is None:
        pytest.skip("needs a redis-server that was built with TLS, as Debian's is, and openssl")
    return found


def _find() -> str | None:
    if shutil.which("openssl") is None:
        return None
    paths = map(shutil.which, ("redis-server", "valkey-server"))
    return next((path for path in paths if path is not None and _speaks_tls(path)), None)


def _speaks_tls(path: str) -> bool:
    """Start a server without a certificate: it ends at once, and asks for one if it knows what to do with it."""
    ended = subprocess.run([path, "--port", "0", "--tls-port", "1"], capture_output=True, timeout=30, check=False)
    return b"tls-cert-file" in ended.stdout
