"""Every line of an input becomes a request or the exact reason why not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from producer.rows.lines import Line
from producer.rows.parser import Row, RowParser
from tests.support.rows import ROW, parse
from worker.contract.errors import SettingsError
from worker.contract.row_warnings import RowWarning
from worker.contract.seeds import row_seed
from worker.settings.fleet import load_settings


def request_of(images: Any = "a.png", conversations: Any = "x", **given: Any) -> tuple[str, str]:
    """Return image and prompt of the request that a row becomes."""
    row = parse({"images": images, "conversations": conversations}, **given)
    assert row.error is None
    assert row.request is not None
    return row.request.images[0], row.request.prompt


@pytest.mark.parametrize(
    ("images", "path"),
    [
        ("a.png", "/data/a.png"),  # relative to the jsonl's own folder
        ("./sub/a.png", "/data/./sub/a.png"),
        ("../a.png", "/data/../a.png"),  # left to the system: /data may be a link
        ("/elsewhere/a.png", "/elsewhere/a.png"),  # absolute: as it is
        (["a.png"], "/data/a.png"),
        (["a.png", "b.png"], "/data/a.png"),  # a list: its first image is edited
        ("straße 1.png", "/data/straße 1.png"),
    ],
)
def test_the_image(images: Any, path: str) -> None:
    """The image is a path or the first of a list, and a relative one begins at the jsonl."""
    assert request_of(images=images)[0] == path


def test_a_relative_input_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are absolute also where the input was named relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    assert request_of(folder=Path())[0] == f"{tmp_path}/a.png"


@pytest.mark.parametrize(
    ("conversations", "prompt"),
    [
        (["plain text"], "plain text"),
        ("plain text", "plain text"),
        ([{"role": "user", "content": "one"}], "one"),
        ([{"content": "no role"}], "no role"),  # counts as the user's
        ([{"role": "user", "content": "one"}, {"role": "user", "content": "two"}], "two"),  # the last one
        ([{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}], "one"),  # the last user's
        ([{"role": "system", "content": "zero"}, {"role": "user", "content": "one"}], "one"),
        ([{"role": "user", "content": "one"}, {"role": ["user"], "content": "two"}], "one"),  # a role is a name
        (["one", {"role": "assistant", "content": "two"}], "one"),
        ([{"role": "user", "content": [{"type": "text", "text": "part"}]}], "part"),
        ([{"role": "user", "content": [{"type": "image", "image": "b.png"}, {"type": "text", "text": "p"}]}], "p"),
        ([{"role": "user", "content": ["one ", {"text": "two"}, ""]}], "one\ntwo"),
        ([{"role": "user", "content": "  spaced\n"}], "spaced"),
        ([{"role": "user", "content": "Füge „🙂“ hinzu"}], "Füge „🙂“ hinzu"),
    ],
)
def test_the_instruction(conversations: Any, prompt: str) -> None:
    """The instruction is the text of the last user turn."""
    assert request_of(conversations=conversations)[1] == prompt


@pytest.mark.parametrize("output", ["x.png", ["x.png"], ["", "x.png"]])
def test_a_row_with_output_is_kept(output: Any) -> None:
    """A row that came with its output is left alone."""
    row = parse({**ROW, "output_image": output})
    assert row.kept
    assert (row.request, row.error) == (None, None)


@pytest.mark.parametrize("output", [[], [""], ["", ""], "", None])
def test_an_empty_output_is_none(output: Any) -> None:
    """A row whose output is empty is not done."""
    assert parse({**ROW, "output_image": output}).request is not None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"images": None}, "images: expected a path or a list of paths, found null"),
        ({"images": ""}, "images: expected a path or a list of paths, found an empty string"),
        ({"images": []}, "images: expected a path or a list of paths, found an empty list"),
        ({"images": {}}, "images: the object of an image has nothing"),
        ({"images": 0}, "images: expected a path or a list of paths, found a number"),
        ({"images": False}, "images: expected a path or a list of paths, found a boolean"),
        ({"images": [[]]}, "images: "),
        ({"images": [""]}, "images: "),
        ({"images": "https://host/a.png"}, "images: https://host/a.png is on no host"),
        ({"images": ["ftp://host/a.png"]}, "images: ftp://host/a.png is a URL of no kind"),
        ({"images": "a\0.png"}, "images: holds a character that is no text"),
        ({"images": "\ud800.png"}, "images: holds a character that is no text"),
        ({"conversations": None}, "conversations: expected a list of turns, found null"),
        ({"conversations": 3.5}, "conversations: expected a list of turns, found a number"),
        ({"conversations": {"role": "user"}}, "conversations: expected a list of turns, found an object"),
        ({"conversations": []}, "conversations: no user turn with text"),
        ({"conversations": [""]}, "conversations: no user turn with text"),
        ({"conversations": [None, 3, []]}, "conversations: no user turn with text"),
        ({"conversations": [{"role": "user", "content": " "}]}, "conversations: no user turn with text"),
        ({"conversations": [{"role": "user"}]}, 'conversations: turn 1 has "role"; expected "content" or "value"'),
        ({"conversations": [{"role": "user", "content": [{"text": 3}]}]}, "conversations: no user turn with text"),
        ({"conversations": [{"role": "assistant", "content": "x"}]}, "conversations: no user turn with text"),
        ({"conversations": ["\ud800"]}, "conversations: holds a character that is no text"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], error: str) -> None:
    """A row that cannot be edited names its line, the field, and what was found there."""
    row = parse({**ROW, **change}, number=42)
    assert row.request is None
    assert (row.error or "").startswith(f"line 42: {error}")
    assert (row.error or "").endswith(".")


@pytest.mark.parametrize("field", ["images", "conversations"])
def test_a_missing_field_is_named(field: str) -> None:
    """A row without a field says which one."""
    row = parse({name: value for name, value in ROW.items() if name != field})
    assert (row.error or "").startswith(f"line 3: {field}: ")
    assert "no such field" in (row.error or "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"images": "a.png"', "line 3: is no JSON ("),
        ("a.png", "line 3: is no JSON ("),
        ('{"images": "a.png}', "line 3: is no JSON (unterminated string starting at column 12)."),
        ('{"images": "a\tb"}', "line 3: is no JSON (invalid control character at column 14)."),
        ('{"images": "\\uD8"}', "line 3: is no JSON (invalid \\uXXXX escape at column 14)."),
        ('["a.png"]', "line 3: expected a JSON object, found a list."),
        ("null", "line 3: expected a JSON object, found null."),
        ("0", "line 3: expected a JSON object, found a number."),
        ('"a"', "line 3: expected a JSON object, found a string."),
    ],
)
def test_what_is_no_object_is_an_error(text: str, error: str) -> None:
    """A line that is no JSON object is a row with an error, and has no fields."""
    row = parse(text)
    assert (row.error or "").startswith(error)
    assert (row.request, row.fields) == (None, None)


def test_a_folder_that_is_no_text_is_the_rows_error() -> None:
    """An input in a folder whose name is no UTF-8 gives rows with errors, not an exception."""
    row = parse(ROW, folder=Path(os.fsdecode(b"/caf\xe9")))
    assert (row.error or "").startswith("line 3: images: ")


def test_columns_may_have_other_names() -> None:
    """The columns for image, conversation and output are the user's to name."""
    names: dict[str, Any] = {"input_image_key": "in", "input_conversation_key": "say", "output_image_key": "out"}
    row = parse({"in": "a.png", "say": "x", "images": 3, "output_image": ["no"]}, **names)
    assert row.request is not None
    assert (row.request.images[0], row.request.prompt) == ("/data/a.png", "x")
    assert parse({"in": "a.png", "say": "x", "out": ["yes"]}, **names).kept
    assert (parse({"say": "x"}, **names).error or "").startswith("line 3: in: ")


def test_a_request_carries_the_runs_parameters() -> None:
    """Steps, guidance, images, size, model and a seed of its own go with the row."""
    row = parse(ROW, diffuser_num_inference_steps=5, diffuser_guidance_scale=2, num_images=3, size="input", seed=9)
    found = row.request
    assert found is not None
    assert (found.steps, found.guidance, found.num_images, found.size) == (5, 2, 3, "input")
    assert (found.row, found.run, found.output_dir, found.model) == (1, "0" * 16, "/run", "demo")
    assert found.seed == row_seed(9, 1)


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({"images": "b.png"}, {}),
        ({"conversations": "y"}, {}),
        ({}, {"seed": 1}),
        ({}, {"diffuser_num_inference_steps": 5}),
        ({}, {"diffuser_guidance_scale": 2}),
        ({}, {"num_images": 2}),
        ({}, {"size": "input"}),
        ({}, {"image_format": "webp"}),
        ({}, {"image_format": "webp", "quality": 90}),
        ({}, {"metadata": False}),
        ({}, {"demand_profile": "exact"}),
        ({"images": ["a.png", "b.png"]}, {"multi_image": "stitch"}),
        ({"images": ["a.png", "b.png"]}, {"diffuser_model_name": "tiny-klein", "multi_image": "references"}),
        ({}, {"diffuser_model_name": "FLUX-Kontext"}),
        ({}, {"diffuser_model_name": "FLUX-Kontext", "hf_revision": "v2"}),
    ],
)
def test_a_changed_row_has_another_fingerprint(change: dict[str, Any], given: dict[str, Any]) -> None:
    """Whatever decides a row's pictures is in its fingerprint."""
    model = {key: value for key, value in given.items() if key == "diffuser_model_name" and "hf_revision" in given}
    before, after = parse(ROW, **model).request, parse({**ROW, **change}, **given).request
    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint


def test_quality_does_not_matter_to_png() -> None:
    """PNG has no quality: another one is no reason to edit a row again."""
    before, after = parse(ROW).request, parse(ROW, quality=80).request
    assert before == after


def test_other_columns_do_not_matter() -> None:
    """A row whose other columns changed is the same edit."""
    before, after = parse(ROW).request, parse({"note": "new", **ROW}).request
    assert before == after


def test_what_the_reader_found_wrong_is_the_rows_error() -> None:
    """A line with invalid UTF-8, say, is its own row's error."""
    assert parse(json.dumps(ROW), problem="is no UTF-8 text.").error == "line 3: is no UTF-8 text."


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        ('{"a": ' + "[" * 255 + "]" * 255 + "}", False),
        ('{"a": ' + "[" * 256 + "]" * 256 + "}", True),
        ('{"a": ' * 257 + "1" + "}" * 257, True),
        ('{"a": "' + "[" * 300 + '"}', False),  # in a string brackets are text
        ('{"a": "\\"' + "[" * 300 + '"}', False),
        (json.dumps({"a": [[]] * 300}), False),  # many, and not deep
        ("[" * 100_000, True),
        ('{"a": "' + '[\\"' * 100_000, False),  # a string without an end is looked at once, not once per quote
    ],
)
def test_nesting_has_a_limit_of_its_own(text: str, deep: bool) -> None:  # noqa: FBT001
    """More than 256 deep is an error of the row, whatever the depth at which it is parsed; 256 is none."""
    assert (parse(text).error == "line 3: is nested more than 256 deep.") == deep
    assert deeper(200, text) == parse(text)


def deeper(depth: int, text: str) -> Row:
    """Parse with so many more calls on the stack."""
    return deeper(depth - 1, text) if depth else parse(text)


def test_errors_stay_on_one_line_and_short() -> None:
    """What a row holds cannot break the error's line, reach the terminal's controls, or fill the screen."""
    error = parse({**ROW, "images": "http://a\nline 99: b\x1b[2J" + "c" * 3000}).error or ""
    assert error.isprintable()
    assert error.startswith("line 3: images: http://a\\nline 99: b\\x1b[2J")
    assert len(error) < 700


def test_a_fault_of_ours_is_one_rows_error(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody has thought of is logged, and is one row's error: the rows after it are parsed."""
    settings = load_settings(diffuser_model_name="demo")
    parser = RowParser(settings, run="0" * 16, base=Path("/data"), run_dir=Path("/run"))
    row = parser.parse(Line(0, 1, None))  # type: ignore[arg-type]  # no line is like this
    assert (row.error or "").startswith("line 1: AttributeError: ")
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "text", ['{"a": 1, "b": 2, "a": 3}', '{"b": {"c": [{"a": 1, "a": 1}]}}', '{"a": 1, "\\u0061": 2}']
)
def test_a_key_that_stands_twice_is_an_error(text: str) -> None:
    """An object that holds a key twice, however deep and however spelt, is refused, and the key is named."""
    row = parse(text)
    assert row.error == 'line 3: holds the key "a" twice, and which of them counts is anybody\'s guess.'
    assert row.fields is None


@pytest.mark.parametrize(
    ("images", "paths", "said"),
    [
        ("a.png", ["/data/a.png"], ()),
        (["a.png"], ["/data/a.png"], ()),
        (["a", "/b"], ["/data/a", "/b"], (RowWarning.IMAGES_UNUSED,)),
    ],
)
def test_several_images(images: Any, paths: list[str], said: tuple[RowWarning, ...]) -> None:
    """The first image of a list is edited, or all of them with `stitch`; it is said where some are passed over."""
    first, all_ = (parse({**ROW, "images": images}, multi_image=way) for way in ("first", "stitch"))
    assert first.request is not None
    assert all_.request is not None
    assert (list(first.request.images), first.warnings) == (paths[:1], said)
    assert (list(all_.request.images), all_.warnings) == (paths, ())


def test_images_that_are_not_edited_do_not_matter() -> None:
    """With `first` a row whose second image is none is a good row; with `stitch` it is not."""
    row = {**ROW, "images": ["a.png", None, "http://host/c.png"]}
    assert parse(row).request is not None
    assert parse(row, multi_image="stitch").error == ("line 3: images: expected a path or a list of paths, found null.")


@pytest.mark.parametrize(
    "path",
    [
        "/run/sample_3/sample_3_0.png",
        "/run/./x/../sample_3/a.png",
        "../run/sample_3/b.png",
        "/run/shard_0001/sample_12/sample_12_0.png",
    ],
)
def test_a_picture_of_this_very_run_is_refused(path: str) -> None:
    """A row that would edit what the same run has made is refused: its files would be replaced under it."""
    assert parse({**ROW, "images": path}).error == (
        "line 3: images: lies among the images of this very run; name another run folder."
    )
    assert parse({**ROW, "images": "/run/other/a.png"}).request is not None
    assert parse({**ROW, "images": "/run/shard_0001/a.png"}).request is not None


def test_a_very_long_instruction_is_an_error() -> None:
    """An instruction of more than 10,000 characters is refused by its length, and not repeated."""
    assert parse({**ROW, "conversations": "x" * 10_000}).request is not None
    assert parse({**ROW, "conversations": "x" * 10_001}).error == (
        "line 3: conversations: the instruction has 10001 characters, more than 10000."
    )


def test_references_are_as_many_as_the_model_takes() -> None:
    """All of a row's images go to a model that takes several; one more than that is the row's error."""
    klein = {"diffuser_model_name": "tiny-klein", "multi_image": "references"}
    four = parse({**ROW, "images": ["a.png"] * 4}, **klein).request
    assert four is not None
    assert (len(four.images), four.references) == (4, True)
    assert parse({**ROW, "images": ["a.png"] * 5}, **klein).error == (
        "line 3: images: 5 images are more than the 4 that tiny-klein takes."
    )
    with pytest.raises(SettingsError, match=r"^FLEET_MULTI_IMAGE: demo takes one picture and no references beside it;"):
        parse(ROW, multi_image="references")


def test_a_row_with_one_image_is_the_same_with_references() -> None:
    """A run that is submitted again with --multi-image references does those rows alone that have some."""
    plain, klein = (parse(ROW, diffuser_model_name="tiny-klein", multi_image=how) for how in ("first", "references"))
    assert plain.request is not None
    assert klein.request is not None
    assert plain.request.fingerprint == klein.request.fingerprint


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"guidance": 3.5}, "edit.guidance: tiny-klein is distilled and takes no guidance; leave it out."),
        (
            {"negative_prompt": "", "true_cfg_scale": 2},
            "edit.negative_prompt: tiny-klein is distilled and takes no negative prompt; leave it out.",
        ),
    ],
)
def test_what_a_distilled_model_would_not_heed_is_an_error(own: dict[str, Any], sentence: str) -> None:
    """Its base takes both."""
    assert parse({**ROW, "edit": own}, diffuser_model_name="tiny-klein").error == f"line 3: {sentence}"
    assert parse({**ROW, "edit": own}, diffuser_model_name="tiny-klein-base").request is not None
    assert parse({**ROW, "edit": {"guidance": 1}}, diffuser_model_name="tiny-klein").request is not None
