"""A request that is taken apart for the network comes together again, and nothing else does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.requests import make_request, shared_of
from worker.contract.errors import ContractError
from worker.contract.messages import EditRequest, Parameters
from worker.contract.sharing import OwnPart, SharedPart, Splitter

SHARED = shared_of(make_request(), base="/data")
IMAGES = ["/data/a b.png", "/data/ä/b.png", "/data", "/data/", "/data//a.png", "/data/data:a.png", "/other/a.png", "/",
          "/data2/a.png", "data:image/png;base64,AAAA"]  # fmt: skip


def through_the_network(request: EditRequest, shared: SharedPart = SHARED) -> dict[str, Any]:
    """Return what arrives of a row's own part."""
    arrived: dict[str, Any] = json.loads(json.dumps(Splitter(shared).own(request)))
    return arrived


@given(
    st.lists(st.sampled_from(IMAGES), min_size=1, max_size=3),
    st.sampled_from(["/", "/data", "/data/", "/data/ä"]),
    st.fixed_dictionaries(
        {},
        optional={
            "steps": st.integers(1, 1000), "guidance": st.floats(0, 100), "num_images": st.integers(1, 21),
            "size": st.sampled_from(["auto", "input", "640x480"]), "true_cfg_scale": st.floats(1, 100),
            "negative_prompt": st.one_of(st.none(), st.text(max_size=9)), "seed": st.integers(0, 2**53 - 1),
            "lora": st.sampled_from([(), ("/a:b.safetensors:0.5", "owner/name:1")]),
            "profile": st.sampled_from([None, "exact"]), "shard_folders": st.sampled_from([None, 100]),
            "earlier_prompts": st.just(("a", "b")),
        },
    ),
)  # fmt: skip
def test_a_request_survives_being_taken_apart(images: list[str], base: str, fields: dict[str, Any]) -> None:
    """Whatever its images' paths, wherever they begin, and whatever parameters it has of its own."""
    request = make_request(images=tuple(images), **fields)
    shared = shared_of(make_request(), base=base)
    assert OwnPart.read(through_the_network(request, shared)).joined(SharedPart.decode(shared.encode())) == request


def test_a_row_holds_what_is_its_own() -> None:
    """Paths from the shared folder on, and parameters only where they differ."""
    plain = through_the_network(make_request(images=("/data/a.png",)))
    assert plain == {
        "v": 8, "run": "0" * 16, "row": 7, "fingerprint": "a" * 32, "shared": SHARED.digest, "images": ["a.png"],
        "prompt": "x", "seed": 0,
    }  # fmt: skip
    assert through_the_network(make_request(images=("/data/a.png",), steps=20)) == {**plain, "own": {"steps": 20}}
    turns = make_request(images=("/data/a.png",), earlier_prompts=("w",))
    assert through_the_network(turns) == {**plain, "earlier_prompts": ["w"]}


def test_other_options_are_another_part() -> None:
    """Its digest tells; the same options have the same one, in every process."""
    assert SHARED.digest == shared_of(make_request(), base="/data").digest == "6e441efe472c0d02"
    others = [shared_of(make_request(steps=9), base="/data"), shared_of(make_request(), base="/data2")]
    assert len({SHARED.digest, *(other.digest for other in others)}) == 3


@pytest.mark.parametrize("field", ["run", "row", "fingerprint", "shared", "images", "prompt", "seed"])
def test_a_missing_field_is_named(field: str) -> None:
    """Of a row's own part."""
    wrong = through_the_network(make_request())
    del wrong[field]
    with pytest.raises(ContractError, match=rf"^EditRequest does not decode: {field}: field required\.$"):
        OwnPart.read(wrong)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 6), ("v", "7"), ("run", "x"), ("row", -1), ("shared", "../etc"), ("images", "a.png"),
        ("images.0", [7]), ("prompt", None), ("seed", 0.5), ("own", []), ("colour", "red"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """As in a whole request; an earlier version is refused so, too."""
    wrong = through_the_network(make_request()) | {field.partition(".")[0]: value}
    with pytest.raises(ContractError, match=rf"^EditRequest does not decode: {field}: .+\.$"):
        OwnPart.read(wrong)


@pytest.mark.parametrize("found", [None, "{}", [], 7, b""])
def test_what_is_no_row_is_refused(found: object) -> None:
    """Whoever can write to Redis can send anything."""
    with pytest.raises(ContractError, match=r"^EditRequest does not decode: "):
        OwnPart.read(found)


@pytest.mark.parametrize(
    "own",
    [{"steps": 0}, {"steps": "8"}, {"output_dir": "run"}, {"colour": "red"}, {"run": "1" * 16}, {"": 1}],
)
def test_own_parameters_are_checked(own: dict[str, Any]) -> None:
    """Each of them is a parameter, and in its range."""
    row = OwnPart.read({**through_the_network(make_request()), "own": own})
    with pytest.raises(ContractError, match=r"^EditRequest does not decode: "):
        row.joined(SHARED)


@pytest.mark.parametrize("field", ["base", *Parameters.model_fields])
def test_a_shared_part_is_whole(field: str) -> None:
    """One that lacks a field is refused, and the field is named."""
    wrong = json.loads(SHARED.encode())
    del wrong[field]
    with pytest.raises(ContractError, match=rf"^SharedPart does not decode: {field}: field required\.$"):
        SharedPart.decode(json.dumps(wrong))
