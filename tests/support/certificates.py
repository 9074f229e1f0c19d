"""A certificate authority of the tests' own, and a certificate of it for servers on this machine."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256")


@dataclass(frozen=True)
class Certificates:
    """Files in a folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, which clients trust."""
        return self.folder / "authority.pem"

    @property
    def server(self) -> Path:
        """The server's certificate, for localhost and 127.0.0.1."""
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """Its key."""
        return self.folder / "server.key"


def make_certificates(folder: Path) -> Certificates:
    """Make them with the openssl command; they are valid for a day."""
    made = Certificates(folder)
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    own = ("-CA", made.authority, "-CAkey", folder / "authority.key", "-CAcreateserial")
    for command in (
        ("req", "-x509", *_KEY, "-days", 1, "-subj", "/CN=tests", "-keyout", own[3], "-out", made.authority),
        ("req", *_KEY, "-subj", "/CN=localhost", "-keyout", made.server_key, "-out", folder / "request"),
        ("x509", "-req", *own, "-days", 1, "-in", folder / "request", "-extfile", names, "-out", made.server),
    ):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)  # noqa: S607
    return made
