"""The instruction is found in whatever form a data set has it, and nothing but the instruction."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.rows.markup import without_markup
from tests.support.rows import ROW, parse
from worker.contract.row_warnings import RowWarning

REMOVED, UNKNOWN, JSON = RowWarning.MARKUP_REMOVED, RowWarning.MARKUP_UNKNOWN, RowWarning.JSON_TEXT
RED = "Make it red."


def prompt_of(conversations: Any, **given_: Any) -> tuple[str, tuple[RowWarning, ...]]:
    """Return the instruction of a good row, and what is said of it."""
    row = parse({**ROW, "conversations": conversations}, **given_)
    assert row.request is not None, row.error
    return row.request.prompt, row.warnings


def turn(role: str, text: Any) -> dict[str, Any]:
    """Make a turn as ShareGPT has it."""
    return {"from": role, "value": text}


@pytest.mark.parametrize(
    "turns",
    [
        [turn("human", RED), turn("gpt", "done")],
        [turn("Human", "no"), turn("gpt", "done"), turn("HUMAN ", RED)],
        [turn("system", "You edit."), turn("user", RED)],
        [{"role": "User", "content": RED}, {"role": "Assistant", "content": "no"}],
        [{"role": None, "content": RED}],
        [{"role": "user", "value": RED}],
        [{"from": "human", "content": RED}],
        [{"role": "user", "content": None, "value": RED}],  # a table has every key in every row
        [turn("human", [{"type": "image"}, {"type": "text", "value": RED}])],
        [turn("human", [{"type": "text", "text": RED}, {"type": "image_url", "image_url": {"url": "x"}}])],
        [turn("human", RED), turn("model", "no"), turn("bot", "no"), turn("tool", "no")],
    ],
)
def test_turns_of_other_houses(turns: list[Any]) -> None:
    """The last turn of a user or human, whatever the keys are called, is the instruction."""
    assert prompt_of(turns) == (RED, ())


def test_messages_stand_for_conversations() -> None:
    """A row that lacks `conversations` may have OpenAI's `messages`; one that has both means the former."""
    row = {"images": "a.png", "messages": [{"role": "user", "content": RED}]}
    assert parse(row).request == parse({**row, "conversations": RED}).request
    other = parse({**row, "conversations": "Blue."}).request
    assert other is not None
    assert other.prompt == "Blue."
    assert "say: expected a list of turns" in (parse(row, input_conversation_key="say").error or "")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"conversations": [{"from": "human", "speech": "x"}]},
            'conversations: turn 1 has "from" and "speech"; expected "content" or "value".',
        ),
        ({"conversations": [RED, {}]}, 'conversations: turn 2 has nothing; expected "content" or "value".'),
        (
            {"messages": [{"role": "narrator", "content": "x"}, turn("gpt", "y")]},
            'messages: no user turn with text (found "narrator" and "gpt").',
        ),
        (
            {"prompt": RED, "n": 3},
            (
                'conversations: expected a list of turns, found no such field (there is "images", "prompt" and "n");'
                " did you mean --input-conversation-key prompt?"
            ),
        ),
        (
            {"conversations": "<image>"},
            "conversations: the instruction is nothing but placeholders of images (<image>).",
        ),
    ],
)
def test_an_error_says_what_there_is(fields: dict[str, Any], error: str) -> None:
    """Where no instruction can be found, the error names what was found and what was expected."""
    assert parse({"images": "a.png", **fields}).error == f"line 3: {error}"


def test_each_turn_of_a_user_may_count() -> None:
    """In their order, other roles passed over, markup taken out of each; by default the last alone does."""
    turns = [turn("human", "<image> one"), turn("gpt", "done"), "two", turn("human", [{"text": RED}])]
    row = parse({**ROW, "conversations": turns}, turns="each")
    assert row.request is not None, row.error
    assert (row.request.prompts, row.warnings) == (("one", "two", RED), (REMOVED,))
    assert prompt_of(turns) == (RED, ())


def test_a_row_of_one_turn_is_the_same_either_way() -> None:
    """It is not edited again for the option; one of several is, and so where any turn's text changes."""
    assert parse(ROW, turns="each") == parse(ROW)
    forms = [parse({**ROW, "conversations": [text, RED]}, turns="each").request for text in ("one", "two")]
    assert len({form.fingerprint for form in [*forms, parse({**ROW, "conversations": RED}).request] if form}) == 3


@pytest.mark.parametrize(
    ("turns", "error"),
    [
        ([RED, " "], "turn 2 has no text, and with --turns each every user turn is an edit."),
        (
            [turn("gpt", "x"), turn("human", [{"type": "image"}]), RED],
            "turn 2 has no text, and with --turns each every user turn is an edit.",
        ),
        (["<image>", RED], "turn 1 is nothing but placeholders of images (<image>)."),
        ([RED, "x" * 10_001], "turn 2 has 10001 characters, more than 10000."),
        ([turn("human", RED), {"role": "user"}], 'turn 2 has "role"; expected "content" or "value".'),
        ([turn("gpt", RED)], 'no user turn with text (found "gpt").'),
        ([], "no user turn with text."),
    ],
)
def test_an_error_names_the_turn(turns: list[Any], error: str) -> None:
    """Where each counts, one without an instruction is the row's error."""
    assert parse({**ROW, "conversations": turns}, turns="each").error == f"line 3: conversations: {error}"


def test_a_row_has_so_many_pictures_at_most() -> None:
    """Those of all its turns together."""
    assert parse({**ROW, "conversations": [RED] * 32}, turns="each", num_images=2).error is None
    assert parse({**ROW, "conversations": [RED] * 33}, turns="each", num_images=2).error == (
        "line 3: conversations: 33 user turns of 2 images each make more than the 64 images that a row may have; split"
        " the row, or edit by its last turn alone with --turns last."
    )


def test_an_error_names_a_few_keys_and_shortens_them() -> None:
    """A row of a hundred columns does not fill the screen."""
    error = parse({"images": "a.png", **{f"{n}{'x' * 99}": n for n in range(99)}}).error or ""
    assert error.endswith("…).")
    assert len(error) < 600


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"role": "user", "content": RED}]),
        json.dumps([turn("human", RED), turn("gpt", "done")]),
        f'  ["{RED}"]',
        "[{'role': 'user', 'content': 'Make it red.'}]",  # as pandas writes it into a CSV file
        "[\"Don't.\", 'Make it red.']",
    ],
)
def test_turns_that_are_written_as_text(text: str) -> None:
    """A list that stands in a table's cell as text is read as the list that it is, and that is said."""
    assert prompt_of(text) == (RED, (JSON,))


@pytest.mark.parametrize(
    "text", ["[red] paint", "[1, 2]", "{colour}", "[", '["a"', "[__import__('os')]", "[" * 300, "[" * 20_000]
)
def test_brackets_are_no_json(text: str) -> None:
    """An instruction that only begins like a list is an instruction."""
    row = parse({**ROW, "conversations": [text]})
    assert (row.request is None) == (len(text) > 10_000)
    if row.request:
        assert (row.request.prompt, row.warnings) == (text, ())
        assert prompt_of(text) == (text, ())


PLACEHOLDERS = [
    "<image>", "<image>\n", "<image_1>", "<image1>", "<|image_1|>", "<|image|>", "<|image_pad|>", "<img>",
    "<IMG_CONTEXT>", "<|vision_start|><|image_pad|><|vision_end|>",
    "<|vision_start|><|image_pad|><|image_pad|><|vision_end|>\n",
    "<image></image>", "(<image>./</image>)", "<start_of_image>", "<image_soft_token>",
    "<|begin_of_image|><|end_of_image|>", "<image_placeholder>", "<ImageHere>", "<im_start><im_patch><im_end>",
    "<fake_token_around_image><image><fake_token_around_image>", "[IMG]", "[IMG][IMG_BREAK][IMG][IMG_END]", "[IMG1]",
    "Picture 1: <img>photos/a.png</img>\n",
]  # fmt: skip


@pytest.mark.parametrize("mark", PLACEHOLDERS)
def test_placeholders_of_an_image_never_reach_the_model(mark: str) -> None:
    """Where the picture stands among the words is taken out, before, after and between, and said once per row."""
    for text in (f"{mark}{RED}", f"{RED} {mark}", f"{mark}\n{mark} {RED}\n{mark}"):
        assert prompt_of(text) == (RED, (REMOVED,))
    assert prompt_of(f"Change {mark} to red.")[0].split() == ["Change", "to", "red."]


def test_what_stays_keeps_its_lines() -> None:
    """Between two lines stays the end of the line, between two words a blank."""
    assert prompt_of("one\n<image>\ntwo <image> three")[0] == "one\ntwo three"


def test_markup_may_be_kept() -> None:
    """With --keep-markup nothing is taken out, and it is said that it is there."""
    assert prompt_of(f"<image>\n{RED}", keep_markup=True) == (f"<image>\n{RED}", (UNKNOWN,))


@pytest.mark.parametrize(
    "mark", ["<|im_start|>user\n", "<|endoftext|>", "</s>", "[INST]", "<<SYS>>", "<br>", '<img src="a">']
)
def test_unknown_markup_stays_and_is_said(mark: str) -> None:
    """What looks like markup and is no placeholder stays in the instruction, with a warning."""
    assert prompt_of(f"{mark}{RED}") == (f"{mark}{RED}", (UNKNOWN,))


@pytest.mark.parametrize(
    "text",
    [
        "Keep a < b and c > d.", "I <3 it", "Make [red] blue", "Write <OPEN> on the sign", "a <- b -> c", "x << 2",
        "the image", "[image 3 of 4]", "Put an <imaginary> friend there", "[1]", "<images of cats>",
        "if x<image_count: y",
    ],
)  # fmt: skip
def test_brackets_of_peoples_own_are_no_markup(text: str) -> None:
    """What people write in brackets is theirs."""
    assert prompt_of(text) == (text, ())


@given(st.text("<>|[]/ \n_img0123456789IMGaestr", max_size=200))
def test_removing_is_quick_and_final(text: str) -> None:
    """No text takes long, and what is left holds no placeholder any more unless its parts have met."""
    left = without_markup(text, lambda _: None, keep=False)
    assert len(left) <= len(text)


@pytest.mark.parametrize(
    "text", ["<image" + "1" * 9_000, " " * 9_990 + "<", "<image>" * 1_400, "<|" + "x" * 9_000, "<im" * 3_000]
)
def test_no_text_takes_long(text: str) -> None:
    """Texts made to trap a pattern end at once; without care each of them would take minutes."""
    without_markup(text, lambda _: None, keep=False)
