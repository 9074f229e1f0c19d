"""A hub of models on this machine: it answers like huggingface.co, as far as a download asks."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.place import PROJECT

COMMIT = "c" * 40
FILES = {
    "model_index.json": b'{"_class_name": "FluxKontextPipeline"}',
    "transformer/config.json": b"{}",
    "tokenizer/chat_template.jinja": b"{{ messages[0].content }}",
    "flux1-kontext-dev.safetensors": b"the same weights once more, 24 GB",
}

#: Files of models whose owner is "loras": a few bytes of safetensors, without a number.
_LORA = (2).to_bytes(8, "little") + b"{}"
LORAS = {
    "one": {"style.safetensors": _LORA, "README.md": b""},
    "two": {"style.safetensors": _LORA, "sub/other.safetensors": _LORA},
    "pickled": {"pytorch_lora_weights.bin": b"\x80\x02"},
}

#: Owner of a model: the status and the error code with which the hub refuses it.
REFUSALS = {
    "gated": (403, "GatedRepo"),
    "gated-without-token": (401, "GatedRepo"),
    "unknown": (404, "RepoNotFound"),
    "unknown-without-token": (401, "RepoNotFound"),
    "other-revision": (404, "RevisionNotFound"),
    "down": (500, ""),
}

#: The same, of LoRAs, each named by a text on a line.
FIND_LORAS = """
import json, sys
from worker.contract.errors import TransientError, RowError
from worker.contract.lora import lora_of
from worker.models.adapters.finding import Finder
finder = Finder()
for line in sys.stdin:
    try:
        print(json.dumps(str(finder.path(lora_of(json.loads(line))))))
    except TransientError as error:
        print(json.dumps(f"TransientError: {error}"))
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
"""

#: Reads settings from standard input, one JSON object a line, and answers each with a line.
_FETCH = """
import json, sys
from worker.contract.errors import ModelError
from worker.models.weights.fetching import fetch_weights
from worker.settings.fleet import load_settings
for line in sys.stdin:
    try:
        print(json.dumps(str(fetch_weights(load_settings(**json.loads(line))))))
    except ModelError as error:
        print(json.dumps(f"ModelError: {error}"))
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
"""


class Hub(BaseHTTPRequestHandler):
    """Answers like huggingface.co, as far as a download of a model asks; the owner's name is the behaviour."""

    def do_GET(self) -> None:
        """Answer about a model, list its files, or send one."""
        parts = self.path.partition("?")[0].strip("/").split("/")
        owner = parts[2] if parts[:2] == ["api", "models"] else parts[0]
        if len(parts) < 3:  # the client looks for more than models
            self._answer(404, b"")
        elif owner == "hangs-up":
            self.close_connection = True
        elif owner in REFUSALS:
            status, code = REFUSALS[owner]
            self._answer(status, b"{}", {"X-Error-Code": code})
        elif "tree" in parts:
            files = [
                {"type": "file", "path": name, "size": len(data), "oid": "0"} for name, data in self._files().items()
            ]
            self._answer(200, json.dumps(files).encode())
        elif parts[0] == "api":
            self._answer(200, json.dumps({"id": f"{owner}/{parts[3]}", "sha": COMMIT, "siblings": []}).encode())
        elif owner == "gated-files":  # what the hub does: anybody may list, not everybody may download
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            data = self._files().get("/".join(parts[4:]))
            if data is None:
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            # One tag per content: the hub's cache keeps one file per tag.
            tag = hashlib.sha256(data).hexdigest()
            self._answer(200, data, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})

    def do_HEAD(self) -> None:
        """Answer like `do_GET`, without a body."""
        self.do_GET()

    def _files(self) -> dict[str, bytes]:
        parts = self.path.partition("?")[0].strip("/").removeprefix("api/models/").split("/")
        if parts[0] == "checkpoint" and isinstance(self.server, _Server):
            return self.server.files
        return LORAS.get(parts[1], {}) if parts[0] == "loras" else FILES

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    #: Of the model of an owner called "checkpoint", whatever its name.
    files: dict[str, bytes]


@contextmanager
def running_hub(checkpoint: Path | None = None) -> Iterator[str]:
    """Run a hub on this machine; yield its URL. It has the folder `checkpoint` as the model checkpoint/model."""
    with _Server(("127.0.0.1", 0), Hub) as server:
        files = checkpoint.rglob("*") if checkpoint else ()
        server.files = {str(file.relative_to(checkpoint)): file.read_bytes() for file in files if file.is_file()}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(
    endpoint: str, folder: Path, *asked: dict[str, str] | str, script: str = _FETCH, offline: bool = False
) -> list[str]:
    """Fetch weights in a process of its own, whose hub is `endpoint` and whose caches are in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "FLEET_"))}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder), "NO_PROXY": "*"} | (
        {"HF_HUB_OFFLINE": "1"} if offline else {}
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(json.dumps(settings) for settings in asked),
        env=environment,
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]
