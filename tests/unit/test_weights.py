"""Where the weights come from, and what to do where they cannot be had: against a hub on this machine."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "c" * 40
FILES = {
    "model_index.json": b'{"_class_name": "FluxKontextPipeline"}',
    "transformer/config.json": b"{}",
    "flux1-kontext-dev.safetensors": b"the same weights once more, 24 GB",
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

#: Loads weights.py by its path: as part of its package it would load torch, which takes ten times as long.
#: Reads settings from standard input, one JSON object a line, and answers each with a line.
_FETCH = """
import importlib.util, json, sys
from worker.errors import ModelError
from worker.settings import load_settings
spec = importlib.util.spec_from_file_location("weights", "worker/models/weights.py")
weights = importlib.util.module_from_spec(spec)
spec.loader.exec_module(weights)
for line in sys.stdin:
    try:
        print(json.dumps(str(weights.fetch_weights(load_settings(**json.loads(line))))))
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
            files = [{"type": "file", "path": name, "size": len(data), "oid": "0"} for name, data in FILES.items()]
            self._answer(200, json.dumps(files).encode())
        elif parts[0] == "api":
            self._answer(200, json.dumps({"id": f"{owner}/{parts[3]}", "sha": COMMIT, "siblings": []}).encode())
        elif owner == "gated-files":  # what the hub does: anybody may list, not everybody may download
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            data = FILES["/".join(parts[4:])]
            # One tag per content: the hub's cache keeps one file per tag.
            tag = hashlib.sha256(data).hexdigest()
            self._answer(200, data, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})

    def do_HEAD(self) -> None:
        """Answer like `do_GET`, without a body."""
        self.do_GET()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """Run a hub on this machine; return its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(endpoint: str, folder: Path, *asked: dict[str, str]) -> list[str]:
    """Fetch weights in a process of its own, whose hub is `endpoint` and whose caches are in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "FLEET_"))}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder), "NO_PROXY": "*"}
    found = subprocess.run(
        [sys.executable, "-c", _FETCH],
        input="\n".join(json.dumps(settings) for settings in asked),
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]


#: Folder of weights: what its model_index.json holds; None: it has none.
FOLDERS = {
    "right": '{"_class_name": "FluxKontextPipeline"}',
    "empty": None,
    "broken": '{"_class_name": ',
    "list": "[]",
    "other": '{"_class_name": "StableDiffusionPipeline"}',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for caches, with a folder of weights for each of the cases above."""
    folder = tmp_path_factory.mktemp("weights")
    for name, index in FOLDERS.items():
        (folder / name).mkdir()
        if index is not None:
            (folder / name / "model_index.json").write_text(index)
    return folder


@pytest.fixture(scope="module")
def answers(hub: str, folder: Path) -> dict[str, str]:
    """Ask for weights of every kind; return the answers by name."""
    owners = ["fine", "gated-files", "hangs-up", *REFUSALS]
    asked = {
        **{owner: {"hf_model_name_or_path": f"{owner}/model", "hf_revision": "v9"} for owner in owners},
        **{name: {"hf_model_name_or_path": str(folder / name)} for name in [*FOLDERS, "absent"]},
        **{
            name: {"hf_model_name_or_path": f"fine/{name}", "hf_local_dir": str(folder / "models")}
            for name in ("one", "two")
        },
        "no id": {"hf_model_name_or_path": "not a hub id"},
    }
    return dict(zip(asked, fetch(hub, folder, *asked.values()), strict=True))


@pytest.mark.parametrize(
    ("case", "problem", "advice"),
    [
        ("gated", "gated/model are gated", "set HF_TOKEN to a token of that account"),
        ("gated-without-token", "are gated", "accept their licence on the model's page"),
        ("gated-files", "are gated", "accept their licence on the model's page"),
        ("unknown", "The hub has no model unknown/model", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("unknown-without-token", "this HF_TOKEN may not see it", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("other-revision", "other-revision/model has no revision v9", "check FLEET_HF_REVISION"),
        ("down", "down/model are not on this machine", "set FLEET_HF_MODEL_NAME_OR_PATH to a local folder"),
        ("hangs-up", "hangs-up/model are not on this machine", "set FLEET_HF_MODEL_NAME_OR_PATH to a local folder"),
        ("no id", "'not a hub id' is neither a hub id", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("absent", "No folder /", "FLEET_HF_MODEL_NAME_OR_PATH takes a hub id or an existing folder"),
        ("empty", "/empty holds no diffusers model", "model_index.json is missing or broken"),
        ("broken", "/broken holds no diffusers model", "model_index.json is missing or broken"),
        ("list", "/list holds a None", "this fleet runs a FluxKontextPipeline"),
        ("other", "/other holds a StableDiffusionPipeline", "this fleet runs a FluxKontextPipeline"),
    ],
)
def test_missing_weights_say_what_to_do(answers: dict[str, str], case: str, problem: str, advice: str) -> None:
    """Weights that cannot be had are a ModelError of one sentence: what is wrong, and what to do."""
    error = answers[case]
    assert error.startswith("ModelError: ")
    assert error.endswith(".")
    assert "\n" not in error
    assert problem in error
    assert advice in error


def test_an_unreachable_hub_is_named(folder: Path) -> None:
    """Without a network the error says so, and that a local folder would do."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens on it
        [error] = fetch(f"http://127.0.0.1:{unused.getsockname()[1]}", folder, {"hf_model_name_or_path": "far/away"})
    assert error.startswith("ModelError: The weights far/away are not on this machine")
    assert "Connection refused" in error
    assert error.endswith("check the network, or set FLEET_HF_MODEL_NAME_OR_PATH to a local folder.")


def test_a_local_folder_is_used_as_it_is(answers: dict[str, str], folder: Path) -> None:
    """Weights in a folder need no hub."""
    assert answers["right"] == str(folder / "right")


def test_a_download_goes_into_the_cache(answers: dict[str, str], folder: Path) -> None:
    """Without a folder of their own, weights go to the hub's cache."""
    assert Path(answers["fine"]).is_relative_to(folder / "hub")


def test_each_model_has_a_folder_of_its_own(answers: dict[str, str], folder: Path) -> None:
    """Two models that are downloaded into one `hf_local_dir` do not mix, and what is not needed stays away."""
    assert answers["one"] == str(folder / "models" / "fine--one")
    assert answers["two"] == str(folder / "models" / "fine--two")
    for name in ("one", "two"):
        assert [path.name for path in Path(answers[name]).iterdir() if path.is_file()] == ["model_index.json"]
