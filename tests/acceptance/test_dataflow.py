"""DataFlow's users: what must stay as they know it, case by case, through the command line and real workers."""

import json
from pathlib import Path

import pytest
from PIL import Image

from producer.run.ledger import Ledger
from tests.conftest import Fleet
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.edited import BLUE, GREEN, RED, WHITE, Edited, colour, edit, far, plain, same
from tests.support.hub import FILES, fetch
from tests.support.pictures import photo
from tests.support.workers import fork_worker
from worker.contract.outcomes import open_redis
from worker.settings.fleet import Settings


@pytest.fixture(scope="module")
def kept(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Edit rows of many kinds in one run, two images each, with an input that lies not where the command runs."""
    folder = tmp_path_factory.mktemp("kept")
    data = folder / "data"
    data.mkdir()
    for name, value in {"red": RED, "green": GREEN, "blue": BLUE}.items():
        plain(data / f"{name}.png", value)
        plain(folder / f"{name}.png", WHITE)  # not this one: it lies where the command runs
    Image.new("RGB", (64, 64), RED).quantize(4).save(data / "palette.png")
    plain(data / "grey.png", 100, "L")
    plain(data / "deep.png", 100 * 257, "I;16")
    plain(data / "print.tif", (0, 255, 255, 0), "CMYK")
    plain(data / "alpha.png", (*GREEN, 255), "RGBA")
    ask = "Make it darker."
    rows = {
        "string": row("red.png", ask),
        "list": {**row("", ask), "images": ["green.png", "blue.png"]},
        "done": row("red.png", ask, output_image=["elsewhere/there.png"]),
        "columns": {"id": 7, **row("blue.png", ask), "tags": ["a", {"b": None}], "score": 0.5},
        "empty string": row("red.png", ask, output_image=[""], id=8),
        "empty list": row("green.png", ask, output_image=[]),
        **{name: row(name, ask) for name in ("palette.png", "grey.png", "deep.png", "print.tif", "alpha.png")},
    }
    return edit(passthrough.cli(folder), rows, "--num-images", 2, source="data/in.jsonl")


@pytest.fixture(scope="module")
def told(session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Let the demo model edit one photograph with one seed: what differs is what it was told."""
    del shared_workers
    folder = tmp_path_factory.mktemp("told")
    photo("coffee", 200, 200, folder / "a.png")
    first, last = {"role": "user", "content": "Make it red."}, {"role": "user", "content": "Make it blue."}
    conversations = {"first": [first], "last": [last], "both": [first, last], "text": [last["content"]]}
    rows = {
        name: {"images": "a.png", "conversations": turns, "edit": {"seed": 5}} for name, turns in conversations.items()
    }
    return edit(CLI(folder, {"broker_url": session_redis}), rows, "--steps", 2)


def test_images_is_a_string_or_a_list(kept: Edited) -> None:
    """`images` a string, or a list: of a list, the first image is edited."""
    assert colour(kept.picture("string")) == RED
    assert colour(kept.picture("list")) == GREEN


def test_relative_image_path(kept: Edited) -> None:
    """A relative image path begins at the jsonl's own folder, and its value in the output row stays as it was."""
    assert colour(kept.picture("columns")) == BLUE  # and not white, as where the command ran
    assert kept.fields("columns")["images"] == "blue.png"


def test_several_turns(told: Edited) -> None:
    """Of several turns in `conversations` the last one is the instruction."""
    assert same(told.picture("both"), told.picture("last"))
    assert far(told.picture("both"), told.picture("first"))


def test_plain_text_as_conversations(told: Edited) -> None:
    """With `["plain text"]` as conversations the text is the instruction."""
    assert same(told.picture("text"), told.picture("last"))
    assert far(told.picture("text"), told.picture("first"))


def test_n_images_per_row(kept: Edited) -> None:
    """N images per row are named `sample_<row>/sample_<row>_0.png`, `_1.png`, …, and are all there."""
    run = "./cache_local/image_edit_local/in"
    for number, name in enumerate(kept.names):
        if name != "done":
            expected = [f"{run}/sample_{number}/sample_{number}_{index}.png" for index in range(2)]
            assert kept.fields(name)["output_image"] == expected
            assert sorted((kept.folder / run / f"sample_{number}").iterdir()) == [kept.folder / it for it in expected]


def test_other_columns(kept: Edited) -> None:
    """Other columns are kept, in their order; `output_image` is added last."""
    fields = kept.fields("columns")
    assert list(fields) == ["id", "images", "conversations", "tags", "score", "output_image"]
    assert (fields["id"], fields["tags"], fields["score"]) == (7, ["a", {"b": None}], 0.5)
    assert list(kept.fields("empty string")) == ["images", "conversations", "id", "output_image"]


def test_a_row_that_has_its_output(kept: Edited) -> None:
    """A row with a non-empty `output_image` is left alone, and says so; `[""]` or `[]` counts as not done."""
    source = (kept.folder / "data/in.jsonl").read_text().splitlines()
    number = kept.names.index("done")
    assert kept.lines[number] == f'{source[number].removesuffix("}")}, "warnings": ["kept"]}}'
    assert not list(kept.folder.glob(f"cache_local/**/sample_{number}"))
    assert colour(kept.picture("empty string")) == RED
    assert colour(kept.picture("empty list")) == GREEN


def test_the_same_command_again(passthrough: Fleet, tmp_path: Path) -> None:
    """The same command again calls no model at all; with one appended row, only that row is generated."""

    def batches() -> list[str]:
        return [line for line in passthrough.worker.lines() if "micro-batch" in line and " rows at " in line]

    cli = passthrough.cli(tmp_path)
    rows = {name: row(plain(tmp_path / name, shade), "x") for name, shade in {"0.png": RED, "1.png": GREEN}.items()}
    first = edit(cli, rows)
    before, written = batches(), [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("cache_local/**/*.png"))]
    assert len(written) == 2
    again = edit(cli, rows)
    assert again.lines == first.lines
    assert batches() == before
    more = edit(cli, {**rows, "2.png": row(plain(tmp_path / "2.png", BLUE), "x")})
    assert more.lines[:2] == first.lines
    assert colour(more.picture("2.png")) == BLUE
    [batch] = batches()[len(before) :]
    assert ": 1 of " in batch
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("cache_local/**/*.png"))][:2] == written
    with Ledger(tmp_path / "cache_local/image_edit_local/in", read_only=True) as ledger:
        assert [record.attempts for record in ledger.records()] == [1, 1, 1]


def test_palette_grey_deep_cmyk_and_alpha(kept: Edited) -> None:
    """Of palette, grey, 16-bit, CMYK and RGBA input the model gets RGB, in the input's colours."""
    found = {name: colour(kept.picture(name)) for name in ("palette.png", "grey.png", "deep.png")}
    assert found == {"palette.png": RED, "grey.png": (100, 100, 100), "deep.png": (100, 100, 100)}
    assert colour(kept.picture("print.tif")) == (255, 0, 0)
    assert colour(kept.picture("alpha.png")) == GREEN


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"diffuser_model_name": "SDXL"}, "FLEET_DIFFUSER_MODEL_NAME: unknown model; there are FLUX-Kontext"),
        (
            {"image_gen_task": "text2image"},
            "FLEET_IMAGE_GEN_TASK: demo does imageedit, and no text2image; set it so, or ",
        ),
    ],
    ids=["model", "task"],
)
def test_unknown_model_or_task(passthrough: Fleet, tmp_path: Path, setting: dict[str, str], sentence: str) -> None:
    """An unknown model or task is a clear error before any work: no run folder is made, no row is sent."""
    write_jsonl(tmp_path / "in.jsonl", [row(plain(tmp_path / "a.png", RED), "x")])
    redis = open_redis(str(passthrough.settings["broker_url"]))
    before = set(redis.keys("fleet*"))
    refused = CLI(tmp_path, {**passthrough.settings, **setting})("submit", "in.jsonl")
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "in.jsonl"]
    assert set(redis.keys("fleet*")) == before


@pytest.fixture(scope="module")
def renamed(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Edit rows whose columns have other names, with an output of another name, and the task named."""
    folder = tmp_path_factory.mktemp("renamed")
    own = {"images": 3, "conversations": None, "output_image": ["mine"]}
    rows = {
        "new": {"picture": plain(folder / "a.png", RED), "talk": ["Make it darker."], **own},
        "done": {"picture": "absent.png", "talk": ["x"], "edited": ["there.png"]},
    }
    columns = ("--input-image-key", "picture", "--input-conversation-key", "talk", "--output-image-key", "edited")
    cli = CLI(folder, {**passthrough.settings, "image_gen_task": "imageedit"})
    return edit(cli, rows, *columns, "--output", "mine.jsonl")


def test_column_names(renamed: Edited) -> None:
    """The names of the columns for images, conversations and output can be set; DataFlow's are then any others."""
    new = renamed.fields("new")
    assert {name: new[name] for name in ("images", "conversations", "output_image")} == {
        "images": 3,
        "conversations": None,
        "output_image": ["mine"],
    }
    assert list(new)[-1] == "edited"
    assert colour(Image.open(renamed.folder / new["edited"][0])) == RED
    assert renamed.fields("done")["edited"] == ["there.png"]


def test_image_gen_task(passthrough: Fleet, renamed: Edited, tmp_path: Path) -> None:
    """`Image_gen_task` is `imageedit`; a worker whose model does no other ends with a clear error at its start."""
    assert renamed.outcome("new").status == "done"
    asked = {**passthrough.settings, "image_gen_task": "text2image"}
    worker = fork_worker("writer", tmp_path / "log", asked, app="tests.support.passthrough")
    assert worker.process.wait(60) == 1
    assert worker.logged(
        "FLEET_IMAGE_GEN_TASK: demo does imageedit, and no text2image; set it so, or name a model that"
    )
    assert not worker.logged(" ready.")


def test_file_name_of_the_table(kept: Edited, renamed: Edited) -> None:
    """The output is `output.jsonl` in the run folder, or has any name by `--output`."""
    assert len(read_jsonl(kept.folder / "cache_local/image_edit_local/in/output.jsonl")) == len(kept.names)
    assert len(read_jsonl(renamed.folder / "mine.jsonl")) == 2
    assert not list(renamed.folder.glob("**/output.jsonl"))


def test_model(hub: str, tmp_path: Path) -> None:
    """A hub id is downloaded through `hf_cache_dir` or into `hf_local_dir`; a local folder is used as it is."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/model_index.json").write_bytes(FILES["model_index.json"])
    cached, local, own = fetch(
        hub,
        tmp_path,
        {"hf_model_name_or_path": "fine/model", "hf_cache_dir": str(tmp_path / "cache")},
        {"hf_model_name_or_path": "fine/model", "hf_local_dir": str(tmp_path / "models")},
        {"hf_model_name_or_path": str(tmp_path / "own")},
    )
    assert Path(cached).is_relative_to(tmp_path / "cache")
    assert Path(local).parent == tmp_path / "models"
    assert own == str(tmp_path / "own")
    for folder in (cached, local, own):
        assert (Path(folder) / "model_index.json").read_bytes() == FILES["model_index.json"]


def test_defaults_of_the_guide(kept: Edited, passthrough: Fleet, tmp_path: Path) -> None:
    """Batch 4, 28 steps, guidance 3.5, save_interval 10, files under `./cache_local/image_edit_local`."""
    cli = CLI(tmp_path, {**passthrough.settings, "diffuser_model_name": "FLUX-Kontext"})
    write_jsonl(tmp_path / "mine.jsonl", [row("a.png", "x", output_image=["there.png"])])
    assert cli("submit", "mine.jsonl").stdout == "cache_local/image_edit_local/mine\n"
    with Ledger(tmp_path / "cache_local/image_edit_local/mine", read_only=True) as ledger:
        run = json.loads(ledger.get("settings") or "")
    assert (run["diffuser_num_inference_steps"], run["diffuser_guidance_scale"]) == (28, 3.5)
    assert {facts["batch_size"] for facts in json.loads(cli("status", "--json").stdout).values()} == {4}
    assert Settings.model_fields["save_interval"].default == 10
    assert kept.fields("string")["output_image"][0] == "./cache_local/image_edit_local/in/sample_0/sample_0_0.png"
