"""A row may name its own parameters, and what it names wrong is its own error."""

from typing import Any

import pytest

from tests.support.rows import ROW, parse
from worker.contract.row_warnings import RowWarning


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"seed": 5}, {"seed": 5}),
        ({"steps": 3, "guidance": 2}, {"steps": 3, "guidance": 2.0}),
        ({"num_images": 2}, {"num_images": 2}),
        ({"size": "input"}, {"size": "input"}),
        ({"size": "1285x725"}, {"size": "1280x720"}),  # multiples of 16
        ({"negative_prompt": "blurry", "true_cfg_scale": 2.5}, {"negative_prompt": "blurry", "true_cfg_scale": 2.5}),
        ({"negative_prompt": "", "true_cfg_scale": 2}, {"negative_prompt": "", "true_cfg_scale": 2.0}),
        ({"seed": 42.0, "steps": 3.0, "guidance": 2}, {"seed": 42, "steps": 3, "guidance": 2.0}),  # tables write so
        ({"seed": None, "steps": None}, {"steps": 9}),  # as tables with optional columns have it
        ({"true_cfg_scale": 1.0}, {"true_cfg_scale": 1.0, "negative_prompt": None}),
        ({"lora": "./a.safetensors:0.5"}, {"lora": ("/data/a.safetensors:0.5",)}),  # it begins where images do
        ({"lora": ["o/b", "/a.safetensors"]}, {"lora": ("/a.safetensors:1", "o/b:1")}),  # in whatever order
        ({"lora": None}, {"lora": ("o/run:1",)}),
        ({"lora": []}, {"lora": ()}),
        ({"lora": "o/a:0"}, {"lora": ()}),
        ({}, {"steps": 9, "guidance": 1.5, "num_images": 3, "size": "bucket"}),
        (None, {"steps": 9, "guidance": 1.5, "num_images": 3, "size": "bucket"}),
    ],
)
def test_a_rows_own_parameters_win(own: Any, expected: dict[str, Any]) -> None:
    """A row's own parameters stand in its request, and the run's where it names none."""
    row = parse(
        {**ROW, "edit": own},
        diffuser_num_inference_steps=9,
        diffuser_guidance_scale=1.5,
        num_images=3,
        size="bucket",
        lora=["o/run"],
    )
    assert row.error is None
    assert row.request is not None
    assert row.request.model_dump().items() >= expected.items()


@pytest.mark.parametrize(
    ("own", "error"),
    [
        (
            {"stepz": 3},
            "edit.stepz: unknown parameter; there are seed, steps, guidance, num_images, size, negative_pro",
        ),
        ({"steps": 0}, "edit.steps: input should be greater than or equal to 1 (found 0)."),
        ({"steps": 1001}, "edit.steps: input should be less than or equal to 1000 (found 1001)."),
        ({"steps": "28"}, "edit.steps: input should be a valid integer (found '28')."),
        ({"steps": 2.5}, "edit.steps: input should be a valid integer (found 2.5)."),
        ({"steps": True}, "edit.steps: input should be a valid integer (found True)."),
        ({"seed": -1}, "edit.seed: input should be greater than or equal to 0 (found -1)."),
        ({"seed": 2**53}, "edit.seed: input should be less than 9007199254740992 (found 9007199254740992)."),
        ({"guidance": float("nan")}, "edit.guidance: "),
        ({"guidance": 100.5}, "edit.guidance: input should be less than or equal to 100 (found 100.5)."),
        ({"num_images": 65}, "edit.num_images: input should be less than or equal to 64 (found 65)."),
        ({"size": "huge"}, "edit.size: expected auto, input, bucket, or a width and a height such as 1280x720 (found"),
        (
            {"size": "1280x10"},
            "edit.size: expected sides of 64 to 4096 px, and no more than 2048x2048 px in all (found",
        ),
        ({"size": [1280, 720]}, "edit.size: input should be a valid string"),
        ({"negative_prompt": "x"}, "edit: negative_prompt has no effect without a true_cfg_scale above 1."),
        ({"true_cfg_scale": 2}, "edit: true_cfg_scale has no effect without a negative_prompt, which may be empty."),
        ({"true_cfg_scale": 0.5}, "edit.true_cfg_scale: input should be greater than or equal to 1 (found 0.5)."),
        ({"negative_prompt": "a\0b", "true_cfg_scale": 2}, "edit.negative_prompt: holds a character that is no text"),
        ({"lora": "style"}, "edit.lora: style is neither a path, which begins with / or ./, nor a hub id (owner/name,"),
        ({"lora": "o/a:11"}, "edit.lora: the weight of o/a is 11, and it must be from -10 to 10 (found 'o/a:11')."),
        ({"lora": "./a.ckpt"}, "edit.lora: ./a.ckpt has pickled weights, which run code when they are read; name a .s"),
        ({"lora": ["o/a", "o/a:2"]}, "edit.lora: o/a is there twice; give it one weight."),
        ({"lora": 7}, "edit.lora: expected a text such as owner/name:0.8, or a list of such (found 7)."),
        ({"lora": ["./a\0.safetensors"]}, "edit.lora: holds a character that is no text"),
        ({"\ud800": 1}, "edit: holds a character that is no text"),
    ],
)
def test_a_wrong_parameter_is_the_rows_error(own: Any, error: str) -> None:
    """An unknown, mistyped or impossible parameter is its row's error, which names it and what was found."""
    row = parse({**ROW, "edit": own})
    assert row.request is None
    assert (row.error or "").startswith(f"line 3: {error}")


@pytest.mark.parametrize(
    ("own", "error"),
    [
        (
            {"true_cfg_scale": 2, "guidance": 3},
            "edit.true_cfg_scale: of tiny-klein-base it is what guidance is, too; name one of them.",
        ),
        ({"true_cfg_scale": 1}, "edit.true_cfg_scale: 1 is none; for no guidance name guidance: 1."),
        (
            {"negative_prompt": "x", "guidance": 1},
            "edit.negative_prompt: at a guidance of 1 it has no effect; name a guidance above 1, or leave it out.",
        ),
    ],
)
def test_a_model_of_true_cfg_has_one_strength(own: dict[str, Any], error: str) -> None:
    """What would be passed over is that row's error."""
    assert parse({**ROW, "edit": own}, diffuser_model_name="tiny-klein-base").error == f"line 3: {error}"


@pytest.mark.parametrize("own", [{"negative_prompt": "x"}, {"true_cfg_scale": 2}])
def test_a_model_of_true_cfg_heeds_each_by_itself(own: dict[str, Any]) -> None:
    """Where a row names one alone, the strength is the run's guidance, or the negative prompt is the model's own."""
    row = parse({**ROW, "edit": own}, diffuser_model_name="tiny-qwen")
    assert row.request is not None
    assert row.request.model_dump().items() >= own.items()


def test_the_column_may_have_another_name() -> None:
    """Where `edit` is a column of the user's own, the parameters' column is theirs to name."""
    row = parse({**ROW, "edit": "anything", "own": {"steps": 2}}, input_edit_key="own")
    assert row.request is not None
    assert row.request.steps == 2


@pytest.mark.parametrize(
    "own",
    [
        {"seed": 1},
        {"steps": 5},
        {"guidance": 2},
        {"num_images": 2},
        {"size": "input"},
        {"lora": "o/a"},
        {"lora": "o/a:2"},
        {"negative_prompt": "", "true_cfg_scale": 2},
        {"negative_prompt": "x", "true_cfg_scale": 2},
        {"negative_prompt": "x", "true_cfg_scale": 3},
    ],
)
def test_own_parameters_change_the_fingerprint(own: dict[str, Any]) -> None:
    """A row whose own parameters changed is another edit."""
    others = [{}, {"negative_prompt": "x", "true_cfg_scale": 2.5}]
    requests = [parse({**ROW, "edit": form}).request for form in (own, *others)]
    assert len({request.fingerprint for request in requests if request}) == 3


def test_a_seed_of_its_own_does_not_move_with_the_row() -> None:
    """A row that names its seed has the same wherever it stands; one that does not has its place's."""
    own = [parse({**ROW, "edit": {"seed": 4}}, place=place).request for place in (1, 9)]
    places = [parse(ROW, place=place).request for place in (1, 9)]
    assert [request.seed for request in own if request] == [4, 4]
    assert len({request.seed for request in places if request}) == 2


@pytest.mark.parametrize("own", ["make it red", "[red]", "", [], 3, False, ["a"], '["a"]'])
def test_a_column_of_the_data_sets_own_is_none_of_ours(own: Any) -> None:
    """An `edit` that is no object is the user's own column: the row is edited as if it were not there, and says so."""
    row = parse({**ROW, "edit": own})
    assert row.request == parse(ROW).request
    assert RowWarning.EDIT_IGNORED in row.warnings


@pytest.mark.parametrize("text", ['{"seed": 5}', "{'seed': 5}"])
def test_parameters_that_are_written_as_text(text: str) -> None:
    """An object in a table's cell is read as the object that it is."""
    row = parse({**ROW, "edit": text})
    assert row.request is not None
    assert (row.request.seed, row.warnings) == (5, (RowWarning.JSON_TEXT,))


def test_a_column_that_was_named_must_hold_objects() -> None:
    """Where the user has named the column of parameters, what is no object in it is a mistake."""
    row = parse({**ROW, "own": "make it red"}, input_edit_key="own")
    assert row.error == "line 3: own: expected an object of parameters, found a string."


def test_the_instruction_may_stand_in_a_column_edit() -> None:
    """`edit` as the column of the instruction leaves no column of parameters, and is no contradiction."""
    row = parse({"images": "a.png", "edit": "Make it red."}, input_conversation_key="edit")
    assert row.request is not None
    assert (row.request.prompt, row.warnings) == ("Make it red.", ())


def test_a_rounded_size_is_noted() -> None:
    """A row whose own size the model cannot take says what it was rounded from."""
    assert parse({**ROW, "edit": {"size": "1285x725"}}).warnings == (RowWarning.SIZE_ROUNDED,)
    assert not parse({**ROW, "edit": {"size": "1280x0720"}}).warnings
    assert not parse({**ROW, "edit": {"size": "auto"}}).warnings
    assert not parse(ROW, size="1285x725").warnings  # the run's own, which is said once
