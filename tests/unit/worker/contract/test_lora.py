"""How LoRAs are named."""

import pytest
from pydantic import TypeAdapter, ValidationError

from worker.contract.lora import Lora, Loras, based, lora_of

LORAS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Loras)


@pytest.mark.parametrize(
    ("text", "name", "weight"),
    [
        ("owner/name", "owner/name", 1.0),
        ("owner/name:0.8", "owner/name", 0.8),
        ("owner/name/sub/a b.safetensors:-.5", "owner/name/sub/a b.safetensors", -0.5),
        ("  ./a.safetensors:2 ", "./a.safetensors", 2.0),
        ("/data/a:b.safetensors", "/data/a:b.safetensors", 1.0),  # a colon of its own
        ("/data/a:3:1e-1", "/data/a:3", 0.1),
        ("~/loras", "~/loras", 1.0),
        ("../a", "../a", 1.0),
    ],
)
def test_a_name_and_its_weight(text: str, name: str, weight: float) -> None:
    """What follows the last colon is the weight, where it is a number; without one it is 1."""
    lora = lora_of(text)
    assert lora == Lora(name, weight)
    assert lora_of(str(lora)) == lora
    assert lora.is_path == (not name.startswith("owner"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "nothing is neither a path"),
        (":0.5", "nothing is neither a path"),
        ("a.safetensors", "which begins with / or ./, nor a hub id"),
        ("loras/a.safetensors", "is neither a path"),  # a folder of that name, or an owner?
        ("owner/name:0,8", "is neither a path"),
        ("owner/name/", "is neither a path"),
        ("owner/name/readme.md", "is neither a path"),
        ("owner/name/../../a.safetensors", "is neither a path"),
        ("owner/..", "is neither a path"),
        ("./a.pt:0.5", "has pickled weights, which run code when they are read; name a .safetensors"),
        ("owner/name/model.BIN", "has pickled weights"),
        ("owner/name:80", "the weight of owner/name is 80, and it must be from -10 to 10"),
        ("owner/name:1e999", "must be from -10 to 10"),
    ],
)
def test_what_is_none_says_why(text: str, problem: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=problem):
        lora_of(text)


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ("o/a:0.5, ./b.safetensors", ("o/a:0.5", "./b.safetensors:1")),
        (["./a,b.safetensors"], ("./a,b.safetensors:1",)),  # only a text has commas between
        ("", ()),
        ([], ()),
        ("o/a:0", ()),
        (("o/a:1.50",), ("o/a:1.5",)),
    ],
)
def test_a_text_and_a_list_say_the_same(given: object, listed: tuple[str, ...]) -> None:
    """One of weight 0 is none."""
    assert LORAS.validate_python(given, strict=True) == listed


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (7, "expected a text such as owner/name:0.8, or a list of such"),
        ([7], "expected a text such as owner/name:0.8, or a list of such"),
        (["o/a"] * 9, "9 LoRAs are more than the 8 that go together"),
    ],
)
def test_what_is_no_list_is_refused(given: object, problem: str) -> None:
    """As is one that is too long."""
    with pytest.raises(ValidationError, match=problem):
        LORAS.validate_python(given)


def test_paths_begin_in_a_folder() -> None:
    """All that name the same ones have them in the same order; hub ids stay as they are."""
    expected = ("/data/a.safetensors:0.5", "/x/b:1", "o/c:1")
    assert based(["o/c", "/x/b", "./a.safetensors:0.5"], "/data") == expected
    assert based(["../data/./a.safetensors:0.5", "o/c", "/x/y/../b"], "/data") == expected


def test_one_that_is_named_twice_is_refused() -> None:
    """However it is spelled, since nobody can tell which weight was meant."""
    with pytest.raises(ValueError, match=r"^/data/a is there twice; give it one weight$"):
        based(["./a", "/data/a:0.5"], "/data")
