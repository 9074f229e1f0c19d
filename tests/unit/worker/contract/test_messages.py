"""What producer and worker say to each other survives the network, and nothing else gets through."""

import hashlib
import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.contract.errors import ContractError
from worker.contract.fingerprint import fingerprint
from worker.contract.lanes import lane_and_run, older_queues, run_queue
from worker.contract.messages import EditRequest, Outcome, queue_name, queue_names
from worker.contract.seeds import image_seed, row_seed

REQUEST = EditRequest(
    run="0123456789abcdef",
    row=7,
    fingerprint="f" * 32,
    images=("/data/straße 1.png", "/data/2.png"),
    prompt='Make it "blue" 🙂\nand round.',
    output_dir="/data/run",
    shard_folders=10_000,
    model="demo",
    steps=8,
    guidance=3.5,
    num_images=2,
    seed=2**53 - 1,
    size="1280x720",
    negative_prompt="„blurry“",
    true_cfg_scale=2.5,
    lora=("/data/ü.safetensors:0.5", "owner/name:1"),
    image_format="webp",
    quality=80,
    metadata=False,
    long_instruction="warn",
    references=False,
    profile=None,
    task="imageedit",
)
DONE = Outcome(
    run="0123456789abcdef",
    row=7,
    fingerprint="f" * 32,
    status="done",
    paths=("sample_7/sample_7_0.png", "sample_7/sample_7_1.png"),
    bucket=(1248, 832),
    batch_id="1f",
    batch_size=3,
    batch_limit=4,
    seed=0,
    seconds={"decode": 0.01, "model": 12.5},
    worker="gpu0@host",
    source_digests=("0" * 64,),
    steps=28,
)
FAILED = Outcome(run="0" * 16, row=0, fingerprint="0" * 32, status="failed", error="No such file.", worker="w@h")
DECISIVE: dict[str, Any] = {
    "images": ["/a.png"], "prompt": "p", "model": "demo", "steps": 8, "guidance": 3.5, "num_images": 1, "seed": 0,
    "size": "auto",
}  # fmt: skip


@pytest.mark.parametrize("message", [REQUEST, DONE, FAILED], ids=["request", "done", "failed"])
def test_a_message_survives_the_network(message: EditRequest | Outcome) -> None:
    """What is decoded equals what was encoded, in type and in value."""
    assert type(message).decode(message.encode()) == message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 1),  # another version
        ("v", "2"),  # no number
        ("colour", "red"),  # no field of this version
        ("run", "0123456789ABCDEF"),  # not as token_hex spells it
        ("row", -1),
        ("row", True),
        ("fingerprint", "f" * 31),
        ("images.1", ["/a.png", "photo.png"]),  # relative: means another file to a worker elsewhere
        ("images", []),
        ("prompt", ""),
        ("prompt", None),
        ("steps", "8"),  # text is no number
        ("steps", 8.5),
        ("steps", 0),
        ("guidance", "3.5"),
        ("num_images", 65),
        ("seed", 2**53),  # one more than a JSON reader holds exactly
        ("size", "huge"),
        ("size", "1280×720"),
        ("size", "63x720"),
        ("size", "4097x720"),
        ("size", "2064x2048"),  # more than 2048 × 2048 pixels
        ("true_cfg_scale", 0.5),
        ("lora", ["./style.safetensors"]),  # relative, as above
        ("lora", ["style"]),
        ("prompt", "x" * 10_001),
        ("output_dir", "https://host/run"),
        ("image_format", "jpeg"),
        ("quality", 0),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """A message with one wrong field is refused in a sentence that begins with the kind of message and the field."""
    wrong = json.loads(REQUEST.encode()) | {field.partition(".")[0]: value}
    with pytest.raises(ContractError, match=rf"^EditRequest does not decode: {field}: .+\.$"):
        EditRequest.decode(json.dumps(wrong))


@pytest.mark.parametrize(
    "field", sorted(name for name, field in EditRequest.model_fields.items() if field.is_required())
)
def test_a_missing_field_is_named(field: str) -> None:
    """A message that lacks a field is refused, and the field is named."""
    wrong = json.loads(REQUEST.encode())
    del wrong[field]
    with pytest.raises(ContractError, match=rf"^EditRequest does not decode: {field}: field required\.$"):
        EditRequest.decode(json.dumps(wrong))


@pytest.mark.parametrize("text", ["", "no JSON", b"\xff\x00", "[]", "null", '{"v": 1', '"text"'])
def test_what_is_no_message_is_refused(text: str | bytes) -> None:
    """Text that is no JSON object is refused with the contract's own error."""
    with pytest.raises(ContractError, match=r"^Outcome does not decode: "):
        Outcome.decode(text)


ALIKE = ["a/b", "a:b", "a b", "a-b", "a--b", "-a-b", "a/b/", "x" * 99 + "a-b", "y" * 99 + "a-b", "ä/b", ""]


def test_models_that_read_alike_have_queues_of_their_own() -> None:
    """Names that clean to the same text still name different queues."""
    assert len({queue_name(model) for model in ALIKE}) == len(ALIKE)


@given(st.text(), st.text())
def test_queue_names_are_safe_and_distinct(one: str, other: str) -> None:
    """Any model's queue name is safe in a comma-separated list, and equals another's only for the same model."""
    assert re.fullmatch(r"fleet\.v\d+\.[A-Za-z0-9.-]{0,60}\.[0-9a-f]{8}", queue_name(one))
    assert (queue_name(one) == queue_name(other)) == (one == other)


@pytest.mark.parametrize("profile", [None, "exact"])
def test_a_runs_queue_tells_its_lane_and_run(profile: str | None) -> None:
    """As whoever gives a row back reads it."""
    lane = queue_name("a/b@main", profile)
    assert lane_and_run(run_queue(lane, "0123456789abcdef")) == (lane, "0123456789abcdef")


@pytest.mark.parametrize("queue", [queue_name("demo"), queue_name("demo", "exact"), "", "celery", "0123456789abcdef"])
def test_another_queue_is_no_runs(queue: str) -> None:
    """Neither a lane's own nor a stranger's."""
    assert lane_and_run(queue) is None


def test_queues_of_earlier_versions_are_known() -> None:
    """By the names that they had: one for all runs of a model, and one per demanded profile."""
    assert {"fleet.v3.demo.2a97516c", "fleet.v3.demo.2a97516c.exact"} < set(older_queues("demo"))
    assert not set(older_queues("demo")) & set(queue_names("demo"))


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_names_are_the_same_in_every_process(hash_seed: str) -> None:
    """Queue and fingerprint do not depend on the process that computes them."""
    calls = f"queue_name('a/b@main'), fingerprint(**{DECISIVE!r}), row_seed(3, 4)"
    rooms = ("fingerprint", "messages", "seeds")
    code = "".join(f"from worker.contract.{room} import *; " for room in rooms) + f"print({calls})"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    found = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert found.stdout.split() == [queue_name("a/b@main"), fingerprint(**DECISIVE), str(row_seed(3, 4))]


@pytest.mark.parametrize("name", DECISIVE)
def test_a_fingerprint_depends_on_each_argument(name: str) -> None:
    """Another value of any one argument is another fingerprint."""
    other = DECISIVE | {name: f"{DECISIVE[name]}0"}
    assert fingerprint(**other) != fingerprint(**DECISIVE)


def test_a_fingerprint_keeps_values_apart() -> None:
    """Text that moves from one argument to the next is another fingerprint; the arguments' order is none."""
    assert fingerprint(a="x, y", b="z") != fingerprint(a="x", b="y, z")
    assert fingerprint(b="z", a="x") == fingerprint(a="x", b="z")


@pytest.mark.parametrize(
    ("run_seed", "row", "seed"),
    [
        (0, 0, 6067409321135427),
        (0, 1, 8411718770426228),
        (42, 9_999_999, 3307460217059699),
        (2**53 - 1, 0, 6474663222176617),
    ],
)
def test_row_seeds_are_fixed(run_seed: int, row: int, seed: int) -> None:
    """A row's seed is the first 53 bits of SHA-256 of "<run seed>:<row>", today and in every later version."""
    digest = hashlib.sha256(f"{run_seed}:{row}".encode()).digest()
    assert row_seed(run_seed, row) == int.from_bytes(digest[:7], "big") >> 3 == seed  # 7 bytes = 56 bits = 53 + 3


@given(st.integers(0, 2**53 - 1), st.integers(0, 10**7))
def test_row_seeds_fit_into_json(run_seed: int, row: int) -> None:
    """Every seed is one that any JSON reader holds exactly."""
    assert 0 <= row_seed(run_seed, row) < 2**53


def test_each_image_of_a_row_has_a_seed_of_its_own() -> None:
    """A row's first image has the row's seed, and the others differ from it and from each other."""
    seeds = [image_seed(1234, index) for index in range(64)]
    assert seeds[0] == 1234
    assert len(set(seeds)) == 64
