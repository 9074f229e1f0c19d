"""The serving and the operator in the place of DataFlow's own: scripts that were written for it do as they did.

DataFlow itself cannot be installed beside these workers. What takes its place is written for these tests, and keeps its
contract as behaviour: `tests/support/likeness`.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from producer.dataflow import LocalImageGenServing, PromptedImageEditGenerator
from producer.run.ledger import Ledger
from tests.conftest import Fleet, Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.edited import BLUE, GREEN, RED, colour, plain
from tests.support.place import PROJECT
from tests.support.waiting import wait_until
from tests.support.workers import environment
from worker.contract.errors import FleetError, RowsError, SettingsError

LIKENESS = PROJECT / "tests/support/likeness"
SCRIPT = PROJECT / "examples/dataflow_pipeline.py"

#: Its folder for everything, and the step's table in it.
CACHE = "./cache_local/image_edit_local"
STEP1 = Path(CACHE, "dataflow_cache_step_step1.jsonl")

Serve = Callable[..., LocalImageGenServing]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with pictures, as a script does that imports DataFlow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(LIKENESS))
    for name, shade in {"red": RED, "green": GREEN, "blue": BLUE}.items():
        plain(tmp_path / f"{name}.png", shade)
    return tmp_path


@pytest.fixture
def serve(desk: Path, passthrough: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Make servings on the fleet of a worker that edits nothing."""
    del desk
    monkeypatch.setenv("FLEET_BROKER_URL", str(passthrough.settings["broker_url"]))
    monkeypatch.setenv("FLEET_SAVE_INTERVAL", "1")
    yield from _servings()


def _servings() -> Iterator[Serve]:
    made: list[LocalImageGenServing] = []

    def one(**arguments: Any) -> LocalImageGenServing:
        given = {"Image_gen_task": "imageedit", "diffuser_model_name": "demo", **arguments}
        made.append(
            LocalImageGenServing(
                image_io=import_module("dataflow.io").ImageIO(save_path=given.pop("save_path", CACHE)), **given
            )
        )
        return made[-1]

    yield one
    for serving in made:
        serving.cleanup()


def storage(table: Path | str = "in.jsonl", **others: Any) -> Any:
    """Make DataFlow's storage, as its guide does."""
    return import_module("dataflow.utils.storage").FileStorage(str(table), CACHE, "dataflow_cache_step", **others)


def theirs(serving: LocalImageGenServing) -> Any:
    """Make DataFlow's operator."""
    return import_module("dataflow.operators.core_vision").PromptedImageEditGenerator(serving, save_interval=1)


def ours(serving: LocalImageGenServing) -> PromptedImageEditGenerator:
    """Make ours."""
    return PromptedImageEditGenerator(serving, save_interval=1)


def edit(operator: Any, on: Any, output: str = "output_image", **keys: Any) -> None:
    """Run a step as the guide does."""
    columns = {"input_image_key": "images", "input_conversation_key": "conversations", **keys}
    operator.run(storage=on.step(), output_image_key=output, **columns)


def line(number: int, fields: dict[str, Any], *images: str) -> str:
    """Return a row of a step's table as DataFlow writes it."""
    paths = [*images] or [f"{CACHE}/sample_{number}/sample_{number}_0.png"]
    text = json.dumps({**fields, "output_image": paths}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/") + "\n"


def made(folder: Path) -> dict[Path, int]:
    """Return when each picture below a folder was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("**/sample_*/*.png")}


@pytest.mark.parametrize("operator", [theirs, ours])
def test_a_table_is_dataflows_byte_by_byte(operator: Any, serve: Serve, desk: Path) -> None:
    """Strings and lists in one column, several turns, columns of others: each row has its own picture, and its bytes.

    The same again leaves table and pictures as they are.
    """
    turns = [{"role": "user", "content": "Make it red."}, {"role": "user", "content": "Mirror it."}]
    rows = [
        row("red.png", "Make it darker / lighter.", id=7, tags=["é", None]),
        row(["green.png"], "x", id=8, tags=[]),
        {"images": str(desk / "blue.png"), "conversations": turns, "id": 9, "tags": None},
    ]
    write_jsonl(desk / "in.jsonl", rows)
    edit(operator(serve()), storage())
    assert STEP1.read_text() == "".join(line(number, fields) for number, fields in enumerate(rows))
    pictures = [Image.open(fields["output_image"][0]) for fields in read_jsonl(STEP1)]
    assert [colour(picture) for picture in pictures] == [RED, GREEN, BLUE]
    table, before = STEP1.read_bytes(), made(desk)
    edit(operator(serve()), storage())
    assert STEP1.read_bytes() == table
    STEP1.unlink()
    edit(operator(serve()), storage())
    assert STEP1.read_bytes() == table
    assert made(desk) == before


def test_rows_that_fail_have_no_picture_and_no_row_suffers(
    serve: Serve, desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With DataFlow's operator a row without an image has an empty list, and the next run does it and no other."""
    rows = [row("red.png", "x"), row("late.png", "x"), row("green.png", ""), row("blue.png", "x")]
    write_jsonl(desk / "in.jsonl", rows)
    edit(theirs(serve()), storage())
    lines = STEP1.read_text().splitlines(keepends=True)
    assert [lines[0], lines[3]] == [line(0, rows[0]), line(3, rows[3])]
    assert [fields["output_image"] for fields in read_jsonl(STEP1)][1:3] == [[], []]
    assert "2 rows done, 2 failed" in (said := capfd.readouterr().err)
    assert "no such file" in said
    before = made(desk)
    plain(desk / "late.png", GREEN)
    edit(theirs(serve()), storage())
    assert STEP1.read_text().splitlines(keepends=True)[1] == line(1, rows[1])
    assert {path: made(desk)[path] for path in before} == before
    assert len(made(desk)) == 3


def test_our_operator_has_parameters_errors_and_warnings(serve: Serve, desk: Path) -> None:
    """`edit` is a row's own; errors and warnings have columns, and rows without any are null there."""
    rows = [
        {**row("red.png", "x"), "edit": {"num_images": 2, "size": "64x96"}},
        row("absent.png", "x"),
        row(["green.png", "blue.png"], "x"),
    ]
    write_jsonl(desk / "in.jsonl", rows)
    edit(ours(serve()), storage())
    first, absent, listed = read_jsonl(STEP1)
    assert first["output_image"] == [f"{CACHE}/sample_0/sample_0_{index}.png" for index in range(2)]
    assert Image.open(first["output_image"][1]).size == (64, 96)
    assert (first["error"], first["warnings"]) == (None, None)
    assert (absent["output_image"], absent["warnings"]) == ([], None)
    assert absent["error"].endswith(f"image {desk}/absent.png: no such file.")
    assert (listed["error"], listed["warnings"]) == (None, ["images-unused"])
    plain(desk / "absent.png", BLUE)
    rows[0]["edit"] = {"num_images": 1, "size": "64x96"}
    write_jsonl(desk / "in.jsonl", rows)
    edit(ours(serve()), storage())
    assert "error" not in read_jsonl(STEP1)[1]
    assert len(read_jsonl(STEP1)[0]["output_image"]) == 1  # made anew: what the row asks for has changed


@pytest.mark.parametrize("operator", [theirs, ours])
def test_steps_in_a_row(operator: Any, serve: Serve, desk: Path) -> None:
    """What one step has made the next one edits; nothing takes another's place, and the same again makes nothing."""
    rows = [row("red.png", "Make it blue.", then=["Mirror it."]), row("green.png", "x", then=["y"])]
    write_jsonl(desk / "in.jsonl", rows)
    absolute = str(desk / CACHE)

    def pipeline() -> list[dict[str, Any]]:
        on, serving = storage(), serve(save_path=absolute)
        edit(operator(serving), on, "first")
        edit(operator(serving), on, "second", input_image_key="first")
        edit(operator(serving), on, "third", input_conversation_key="then")
        return read_jsonl(desk / CACHE / "dataflow_cache_step_step3.jsonl")

    table = pipeline()
    for number, shade in enumerate([RED, GREEN]):
        name = f"sample_{number}/sample_{number}_0.png"
        places = {"first": name, "second": f"step_2/{name}", "third": f"step_3/{name}"}
        assert {column: table[number][column] for column in places} == {
            column: [f"{absolute}/{place}"] for column, place in places.items()
        }
        assert all(colour(Image.open(table[number][column][0])) == shade for column in places)
    before = made(desk)
    assert len(before) == 6
    assert pipeline() == table
    assert made(desk) == before


def test_relative_paths_of_its_own_pictures_begin_where_the_script_runs(serve: Serve, desk: Path) -> None:
    """Our operator finds what a step has made though the first table, and its images, lie elsewhere."""
    (desk / "data").mkdir()
    (desk / "red.png").rename(desk / "data/red.png")
    write_jsonl(desk / "data/in.jsonl", [row("red.png", "x")])
    on, serving = storage("data/in.jsonl"), serve()
    edit(ours(serving), on, "first")
    edit(ours(serving), on, "second", input_image_key="first")
    [found] = read_jsonl(desk / CACHE / "dataflow_cache_step_step2.jsonl")
    assert found["second"] == [f"{CACHE}/step_2/sample_0/sample_0_0.png"]
    assert colour(Image.open(found["second"][0])) == RED


def test_what_dataflow_has_finished_is_kept(serve: Serve, desk: Path) -> None:
    """Our operator takes finished rows from DataFlow's table where they are the same; a row that changed is edited.

    The pictures that DataFlow has made stay where they are.
    """
    rows = [row("red.png", "x"), row("green.png", "x"), row("blue.png", "x")]
    folders = [desk / CACHE / f"sample_{number}" for number in range(2)]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        plain(folder / f"sample_{number}_0.png", BLUE)
    STEP1.write_text(line(0, rows[0]) + line(1, rows[1]))
    write_jsonl(desk / "in.jsonl", [rows[0], {**rows[1], "conversations": ["another"]}, rows[2]])
    before = made(desk)
    edit(ours(serve()), storage())
    paths = [fields["output_image"][0] for fields in read_jsonl(STEP1)]
    assert [colour(Image.open(path)) for path in paths] == [BLUE, GREEN, BLUE]
    assert paths[0] == f"{CACHE}/sample_0/sample_0_0.png"
    assert {path: made(desk)[path] for path in before} == before


def test_a_changed_row_is_edited_where_it_was_and_other_parameters_elsewhere(serve: Serve, desk: Path) -> None:
    """One row among others that are the same has its new picture in its place; other steps make all of them anew."""
    rows = [row("red.png", "x"), row("green.png", "x")]
    write_jsonl(desk / "in.jsonl", rows)
    edit(theirs(serve()), storage())
    before = made(desk)
    write_jsonl(desk / "in.jsonl", [rows[0], row("blue.png", "x")])
    STEP1.unlink()
    edit(theirs(serve()), storage())
    assert colour(Image.open(read_jsonl(STEP1)[1]["output_image"][0])) == BLUE
    after = made(desk)
    assert after.keys() == before.keys()
    assert [path.name for path in after if after[path] == before[path]] == ["sample_0_0.png"]
    STEP1.unlink()
    edit(theirs(serve(diffuser_num_inference_steps=7)), storage())
    assert [fields["output_image"] for fields in read_jsonl(STEP1)] == [
        [f"{CACHE}/step_2/sample_{number}/sample_{number}_0.png"] for number in range(2)
    ]
    assert {path: made(desk)[path] for path in after} == after


def test_only_what_is_new_is_edited(serve: Serve, passthrough: Fleet, desk: Path) -> None:
    """With one appended row, only that row is given to the model."""
    rows = [row("red.png", "x"), row("green.png", "x")]
    write_jsonl(desk / "in.jsonl", rows)
    edit(theirs(serve()), storage())
    batches = len([line for line in passthrough.worker.lines() if "micro-batch" in line and " rows at " in line])
    write_jsonl(desk / "in.jsonl", [*rows, row("blue.png", "x")])
    edit(theirs(serve()), storage())
    [batch] = [line for line in passthrough.worker.lines() if "micro-batch" in line and " rows at " in line][batches:]
    assert ": 1 of " in batch
    assert STEP1.read_text().splitlines(keepends=True)[2] == line(2, row("blue.png", "x"))


def test_a_table_may_be_json_or_pickle(serve: Serve, desk: Path) -> None:
    """What a storage keeps its tables in is its own business."""
    (desk / "in.json").write_text(json.dumps([row("red.png", "x"), row("green.png", "x")]))
    for kind in ("json", "pickle"):
        on = storage("in.json", cache_type=kind)
        edit(ours(serve()), on)
        on.step()
        assert [colour(Image.open(fields["output_image"][0])) for fields in on.read("dict")] == [RED, GREEN]


def test_a_killed_script_goes_on(start_plain: Start, redis_url: str, desk: Path) -> None:
    """What a script had finished when it was killed, its rerun takes from the folder; each row is sent once."""
    start_plain(passthrough_seconds=0.2)
    write_jsonl(desk / "in.jsonl", [row(f"{shade}.png", str(n)) for n in range(8) for shade in ("red", "green")])
    given = environment({"broker_url": redis_url, "batch_size": 2, "save_interval": 1})
    given["PYTHONPATH"] = f"{LIKENESS}:{given['PYTHONPATH']}"
    command = [sys.executable, str(SCRIPT), "in.jsonl"]
    with subprocess.Popen(command, cwd=desk, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as script:
        wait_until(lambda: made(desk) or script.poll() is not None, "a first picture")
        script.kill()
    assert not STEP1.exists()
    before = made(desk)
    done = subprocess.run(command, cwd=desk, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert [len(fields["output_image"]) for fields in read_jsonl(STEP1)] == [1] * 16
    assert {path: made(desk)[path] for path in before} == before
    assert len(made(desk)) == 16
    with Ledger(desk / CACHE, read_only=True) as ledger:
        assert [record.attempts for record in ledger.records()] == [1] * 16


def test_the_example_on_this_machine(desk: Path) -> None:
    """The guide's script, with its imports changed, starts all that it needs, in another Python, and leaves nothing."""
    python = desk / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {desk}/started\nexec {sys.executable} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    given = environment({"worker_python": python})
    given["PYTHONPATH"] = f"{LIKENESS}:{given['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=desk, env=given, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    for number, (found, fields) in enumerate(
        zip(read_jsonl(STEP1), read_jsonl(PROJECT / "examples/edits.jsonl"), strict=True)
    ):
        paths = [f"{CACHE}/sample_{number}/sample_{number}_0.png"]
        # A table has all of its columns in each row.
        assert {key: value for key, value in found.items() if value is not None} == {**fields, "output_image": paths}
        Image.open(paths[0]).load()
    started = (desk / "started").read_text()
    assert "-m worker -A worker worker" in started
    [owner] = {words.split()[2] for words in started.splitlines() if words.startswith("-m producer.local.bound ")}
    wait_until(lambda: not _bound_to(owner), "its workers have ended")


def _bound_to(owner: str) -> list[Path]:
    """Return the processes that say that they end with another."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [path] if f"producer.local.bound\0{owner}\0" in path.read_text() else []
    return found


def test_the_command_in_the_place_of_the_script(desk: Path) -> None:
    """`producer run` with the folder and the table's name that a script has writes what the script would have."""
    rows = [row("red.png", "x"), row("green.png", "x")]
    write_jsonl(desk / "T.jsonl", rows)
    cli = CLI(desk, {"diffuser_num_inference_steps": 1})
    done = cli("run", "T.jsonl", "--run-dir", CACHE, "--output", STEP1)
    assert done.returncode == 0, done.stderr
    assert read_jsonl(STEP1) == [json.loads(line(number, fields)) for number, fields in enumerate(rows)]


REAL = PROJECT / ".venv-dataflow/bin/python"


@pytest.mark.skipif(not REAL.exists(), reason="DataFlow is not installed in .venv-dataflow")
def test_the_serving_with_dataflow_itself(serve: Serve, desk: Path) -> None:
    """With DataFlow's own storage, operator and `ImageIO`, in its own environment, the table is the same."""
    serve()
    text = SCRIPT.read_text().replace("LocalImageGenServing, PromptedImageEditGenerator", "LocalImageGenServing")
    script = f"from dataflow.operators.core_vision import PromptedImageEditGenerator\n{text}"
    write_jsonl(
        desk / "in.jsonl", rows := [row("red.png", "x"), row(["green.png", "blue.png"], "x"), row("no.png", "x")]
    )
    given = {**environment({"broker_url": os.environ["FLEET_BROKER_URL"]}), "PYTHONPATH": str(PROJECT)}
    command = [REAL, "-c", script.replace("__file__", "'in.jsonl'"), "in.jsonl"]
    done = subprocess.run(command, cwd=desk, env=given, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    lines = STEP1.read_text().splitlines(keepends=True)
    assert lines[:2] == [line(number, fields) for number, fields in enumerate(rows[:2])]
    assert json.loads(lines[2])["output_image"] == []


def test_text_to_image(desk: Path, start_plain: Start, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has a `sample_id` is keyed by it, a text by itself; the same again has the same pictures in any place."""
    start_plain(diffuser_model_name="tiny-klein", image_gen_task="text2image")
    monkeypatch.setenv("FLEET_BROKER_URL", redis_url)
    monkeypatch.setenv("FLEET_SAVE_INTERVAL", "1")
    servings = _servings()
    serving = next(servings)(
        Image_gen_task="text2image", diffuser_model_name="tiny-klein", diffuser_image_width=64, diffuser_image_height=96
    )
    asked = [{"sample_id": f"sample{n}_condition0", "text_prompt": "A house."} for n in range(2)]
    answer = serving.generate_from_input([*asked, {"sample_id": "empty", "text_prompt": ""}])
    assert answer.keys() == {"sample0_condition0", "sample1_condition0", "empty"}
    assert answer["empty"] == []
    assert [Image.open(answer[one["sample_id"]][0]).size for one in asked] == [(64, 96)] * 2
    before = made(desk)
    assert serving.generate_from_input([asked[1]]) == {"sample1_condition0": answer["sample1_condition0"]}
    assert list(serving.generate_from_input_one_batch(["A house."])) == ["A house."]
    assert {path: made(desk)[path] for path in before} == before
    next(servings, None)


def test_pairs_are_keyed_by_their_instruction(serve: Serve, desk: Path) -> None:
    """(image, prompt) is taken as without `save_image_with_idx`; two images of one instruction would lose one."""
    serving = serve()
    answer = serving.generate_from_input([("red.png", "one"), (["green.png"], "two")])
    assert [colour(Image.open(desk / answer[key][0])) for key in ("one", "two")] == [RED, GREEN]
    with pytest.raises(RowsError, match=r"user_inputs\[1\]: 'one' is the key of another one"):
        serving.generate_from_input([("red.png", "one"), ("green.png", "one")])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"Image_gen_task": "video"}, "Image_gen_task: input should be"),
        ({"diffuser_model_name": "SDXL"}, "diffuser_model_name: unknown model; there are FLUX-Kontext"),
        ({"diffuser_model_name": "FLUX"}, "Image_gen_task: FLUX.1-dev does text2image, and no imageedit"),
        ({"batch_size": 0}, "batch_size: "),
        ({"diffuser_num_inference_steps": 0}, "diffuser_num_inference_steps: "),
        ({"diffuser_guidance_scale": -1}, "diffuser_guidance_scale: "),
        ({"diffuser_num_images_per_prompt": 65}, "diffuser_num_images_per_prompt: "),
        ({"diffuser_image_height": 0}, "diffuser_image_height is a number of pixels; found 0."),
        ({"diffuser_image_width": 30_000}, "diffuser_image_width x diffuser_image_height: "),
        ({"hf_model_name_or_path": ["a/b", "c/d"]}, "hf_model_name_or_path: a serving has one model"),
        ({"save_path": ""}, "image_io has a save_path"),
        ({"save_path": "red.png"}, "image_io.save_path: the folder red.png cannot be made"),
    ],
)
def test_what_is_wrong_is_said_by_the_constructor(serve: Serve, arguments: dict[str, Any], sentence: str) -> None:
    """An argument that cannot be is an error before any row, by its name in the script."""
    with pytest.raises(SettingsError) as raised:
        serve(**arguments)
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("variables", "arguments", "sentence"),
    [
        ({"BROKER_URL": "redis://127.0.0.1:1/0"}, {}, "Redis at redis://127.0.0.1:1/0"),
        ({"PICTURES": "s3://bucket/prefix"}, {}, "FLEET_PICTURES: pictures of a serving lie in the save_path of its "),
        ({"WORKER_PYTHON": "/absent/python"}, {}, "FLEET_WORKER_PYTHON: /absent/python is no program"),
        (
            {"WORKER_PYTHON": str(PROJECT / ".venv-monitor/bin/python")},
            {},
            "FLEET_WORKER_PYTHON: torch is not installed for ",
        ),
        (
            {},
            {"diffuser_model_name": "FLUX-Kontext", "hf_model_name_or_path": "./absent"},
            "hf_model_name_or_path: there is no folder absent",
        ),
    ],
)
def test_what_is_not_there_is_said_by_the_constructor(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: dict[str, Any],
    sentence: str,
) -> None:
    """Without a broker that answers, libraries or weights, no row could be edited, and no serving is made."""
    del desk
    for name, value in variables.items():
        monkeypatch.setenv(f"FLEET_{name}", value)
    with pytest.raises(FleetError) as raised:
        next(_servings())(**arguments)
    assert sentence in str(raised.value)
