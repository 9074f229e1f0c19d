"""`producer check` says, without a GPU or a Redis, what a run would make of every row."""

import bz2
import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from producer.commands.cli import main
from producer.rows.source import taken
from producer.run import opening
from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from tests.support.cli import row, write_jsonl
from worker.contract.messages import Outcome
from worker.models.demo import CHECKPOINT
from worker.settings.fleet import load_settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the test's own folder, where three pictures lie."""
    monkeypatch.chdir(tmp_path)
    for name, size in {"wide.png": (96, 64), "tall.png": (64, 96), "square.png": (64, 64)}.items():
        Image.new("RGB", size, "teal").save(name)
    Path("broken.png").write_bytes(Path("wide.png").read_bytes()[:60])


def check(*args: object, stdin: bytes | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["check", "--model", "demo", *map(str, args)], input=stdin)


def found(*args: object, stdin: bytes | None = None) -> dict[str, Any]:
    """Run the command for scripts; return what it prints."""
    result = check(*args, "--json", stdin=stdin)
    assert not result.stderr
    facts: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (3 if facts["bad"] else 0)
    return facts


MIXED = [
    row("wide.png", "Make it red."),
    "",
    row("absent.png", "Make it red."),
    row("broken.png", "Make it red."),
    row("wide.png", "Make it blue."),
    row("tall.png", ""),
    "no json",
    row("tall.png", "Make it red.", output_image=["there.png"]),
    row(["tall.png", "wide.png"], "Make it red.", edit={"size": "100x100"}),
]


def test_every_error_is_told_with_its_line() -> None:
    """Bad rows are told one by one, in order, each with its line; the others are counted; exit code 3."""
    write_jsonl(Path("in.jsonl"), MIXED)
    result = check("in.jsonl")
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == ["line 3", "line 4", "line 6", "line 7"]
    assert lines[0] == f"line 3: image {Path.cwd()}/absent.png: no such file."
    assert lines[2] == "line 6: conversations: no user turn with text."
    assert lines[4] == "8 rows: 3 good, 4 bad, 1 with their output already"
    assert [line.split()[:2] for line in lines[5:7]] == [["304x208", "2"], ["96x96", "1"]]
    assert lines[7].startswith("1 of 8 rows has output_image already and is left alone")
    assert lines[8].startswith("1 of them names a file that is not there (line 8: there.png)")
    assert lines[9].startswith("1 row: more than one image")
    assert lines[10].startswith("1 row: a size of its own that was rounded down")
    assert lines[11].startswith("GPU time for 3 images: not known")


def test_scripts_get_json() -> None:
    """With --json the same facts come as one object, and nothing else."""
    write_jsonl(Path("in.jsonl"), MIXED)
    facts = found("in.jsonl")
    errors = facts.pop("errors")
    assert facts == {
        "rows": 8, "good": 3, "bad": 4, "kept": 1, "kept_absent": 1, "images": 3,
        "warnings": {"kept": 1, "images-unused": 1, "size-rounded": 1}, "instructions_measured": True,
        "buckets": {"304x208": 2, "96x96": 1},
        "gpu_seconds": None, "gpu_seconds_by": None, "tflops": None, "pflop": None,
    }  # fmt: skip
    assert [(error["line"], error["row"]) for error in errors] == [(3, 1), (4, 2), (6, 4), (7, 5)]


LONG = "Make it red, and leave all else as it is. " * 60


@pytest.mark.parametrize("where", [{"prompt": LONG}, {"negative": LONG}])
def test_an_instruction_longer_than_the_model_reads_is_told(where: dict[str, str]) -> None:
    """The model's tokenizer, where it is at hand, tells of instructions that will be cut, or are to be errors."""
    own = {"negative_prompt": where["negative"], "true_cfg_scale": 2} if "negative" in where else {}
    write_jsonl(Path("in.jsonl"), [row("wide.png", "Red."), row("wide.png", where.get("prompt", "Red."), edit=own)])
    assert found("in.jsonl")["warnings"] == {"instruction-cut": 1}
    assert "\n1 row: the instruction is longer than the model reads.\n" in check("in.jsonl").stdout
    facts = found("in.jsonl", "--long-instruction", "error")
    ((line, error),) = [(error["line"], error["error"]) for error in facts["errors"]]
    assert line == 2
    assert re.match(
        r"line 2: the (instruction|negative prompt) has \d{3,} tokens, of which the model reads 512; ", error
    )


def test_it_is_said_where_instructions_are_not_measured() -> None:
    """Without the tokenizer's files nobody knows whether an instruction is too long, and that is said."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", LONG)])
    weights = ["--model", "FLUX-Kontext", "--hf-model-name-or-path", "nobody/nothing"]
    facts = found("in.jsonl", *weights)
    assert (facts["good"], facts["warnings"], facts["instructions_measured"]) == (1, {}, False)
    assert "\nHow long the instructions are is not known: " in check("in.jsonl", *weights).stdout


def test_a_local_folders_tokenizer_is_used() -> None:
    """Weights in a local folder, or downloaded into one, have the tokenizer that counts."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", LONG)])
    for folder in (Path("weights"), Path("downloads/owner--name@v1")):
        (folder / "tokenizer_2").mkdir(parents=True)
        shutil.copy(CHECKPOINT / "tokenizer_2/tokenizer.json", folder / "tokenizer_2")
    for options in (["weights"], ["owner/name", "--hf-revision", "v1"]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FLEET_HF_LOCAL_DIR", "downloads")
            facts = found("in.jsonl", "--model", "FLUX-Kontext", "--hf-model-name-or-path", *options)
        assert facts["warnings"] == {"instruction-cut": 1}


def test_a_good_input_is_0() -> None:
    """Where every row is good the exit code is 0."""
    write_jsonl(Path("in.jsonl"), [row(f"{name}.png", "x") for name in ("wide", "tall", "square")])
    assert found("in.jsonl")["buckets"] == {"304x208": 1, "208x304": 1, "256x256": 1}


def test_options_decide_as_in_a_run() -> None:
    """The options of a run hold for the check: stitched pictures have another bucket, a format its limit."""
    write_jsonl(Path("in.jsonl"), [row(["tall.png", "tall.png", "tall.png"], "x")])
    assert found("in.jsonl", "--multi-image", "stitch", "--num-images", 3)["buckets"] == {"368x176": 1}
    Image.new("L", (16_384, 20)).save("long.png")
    write_jsonl(Path("in.jsonl"), [row("long.png", "x")])
    assert found("in.jsonl", "--size", "input")["good"] == 1
    (error,) = found("in.jsonl", "--size", "input", "--format", "webp")["errors"]
    assert error["error"].startswith("line 1: output: webp holds at most 16383 px a side")


def test_references_leave_the_first_images_resolution() -> None:
    """The resolution is that of the picture that is edited; the others are looked at, too."""
    write_jsonl(Path("in.jsonl"), [row(["tall.png", "wide.png"], "x"), row(["tall.png", "absent.png"], "x")])
    with_references = found("in.jsonl", "--multi-image", "references", "--model", "tiny-klein")
    assert (with_references["buckets"], with_references["bad"]) == ({"208x304": 1}, 1)


def test_references_count_against_the_pixel_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the worker: all of a row's pictures are in memory at once."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x"), row(["wide.png"] * 2, "x")])
    monkeypatch.setenv("FLEET_MAX_PIXELS", "6144")  # one of them
    errors = found("in.jsonl", "--multi-image", "references", "--model", "tiny-klein")["errors"]
    assert [error["line"] for error in errors] == [2]


def test_the_pixel_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of more pixels than FLEET_MAX_PIXELS is an error; so are pictures that are too large side by side."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x"), row(["square.png"] * 2, "x")])
    monkeypatch.setenv("FLEET_MAX_PIXELS", "6143")
    assert [error["line"] for error in found("in.jsonl")["errors"]] == [1]  # 96 × 64 = 6144
    assert [error["line"] for error in found("in.jsonl", "--multi-image", "stitch")["errors"]] == [1, 2]


def test_a_stream_is_read() -> None:
    """Standard input is read like a file, packed or not, and relative paths begin in the working folder."""
    text = json.dumps(row("wide.png", "x")).encode()
    for stdin in (text, gzip.compress(text)):
        assert found("-", stdin=stdin)["good"] == 1
    assert sorted(path.name for path in Path().iterdir()) == ["broken.png", "square.png", "tall.png", "wide.png"]


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["absent.jsonl"], 2, "'absent.jsonl' does not exist."),
        (["empty.jsonl"], 2, "empty.jsonl holds no rows."),
        (["in.jsonl", "--size", "huge"], 2, "--size / FLEET_SIZE: expected auto, input, bucket, or a width and"),
        (["in.jsonl", "--format", "gif"], 2, "--format / FLEET_IMAGE_FORMAT: input should be 'png', 'webp' or 'jpg'"),
        (
            ["in.jsonl", "--timed-by", ".", "--tflops", "9"],
            2,
            "--timed-by and --tflops both tell the GPU time;",
        ),
        (["in.jsonl", "--tflops", "0"], 2, "Invalid value for '--tflops': 0 is not in the range x>=1."),
        (["in.jsonl", "--timed-by", "."], 1, "The folder . holds no run;"),
    ],
)
def test_a_wrong_call_is_one_sentence(args: list[str], code: int, sentence: str) -> None:
    """An input that is missing or empty, and a wrong option, end in one sentence and the right exit code."""
    Path("empty.jsonl").write_text("\n\n")
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x")])
    result = check(*args)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def measured_run(folder: str, **facts: object) -> None:
    """Make a run whose first row was edited, with the given facts in its outcome."""
    with (
        taken(Path("in.jsonl"), Path()) as source,
        opening.create(source, Path(folder), load_settings(diffuser_model_name="demo"), "submit") as run,
    ):
        run.remember()
        run.ledger.note([Entry(0, "f" * 32, State.NOTED)])
        run.ledger.apply([Outcome(
            run=run.ledger.run, row=0, fingerprint="f" * 32, status="done", worker="w", paths=("a", "b"), **facts
        )])  # fmt: skip


def test_the_gpu_time_follows_from_a_run() -> None:
    """Seconds per image, step and pixel of a run give the time of this input, in its own buckets, steps and images."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x"), row("square.png", "x", edit={"steps": 4, "num_images": 3})])
    # Two rows of two images each, 10 steps, 8 s: 0.2 s per image and step at 304x208 pixels.
    facts = {"bucket": (304, 208), "batch_size": 2, "batch_limit": 2, "steps": 10, "seconds": {"model": 8.0}}
    measured_run("run", **facts)
    expected = 0.2 * 5 + 0.2 * 256 * 256 / (304 * 208) * 4 * 3
    assert found("in.jsonl", "--steps", 5, "--timed-by", "run")["gpu_seconds"] == pytest.approx(expected, abs=1e-3)
    assert found("in.jsonl", "--steps", 5, "--run-dir", "run")["gpu_seconds"] == pytest.approx(expected, abs=1e-3)
    assert "as measured: about 0 h 00 min 03 s." in check("in.jsonl", "--steps", 5, "--timed-by", "run").stdout


def test_a_run_of_another_version_is_no_obstacle() -> None:
    """A run folder that cannot be understood tells no time where nobody named it, and is named where somebody did."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x")])
    measured_run("run")
    with Ledger(Path("run")) as ledger:
        ledger.put("settings", json.dumps({"diffuser_model_name": "Later"}))
    assert found("in.jsonl", "--run-dir", "run")["gpu_seconds"] is None
    result = check("in.jsonl", "--timed-by", "run")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The run folder run was written by another version (")


def test_a_run_that_measured_nothing_is_no_guess() -> None:
    """Where a run's rows were recognised as finished, not edited, no time follows from it."""
    write_jsonl(Path("in.jsonl"), [row("wide.png", "x")])
    measured_run("run", bucket=(304, 208), steps=10)
    assert found("in.jsonl", "--run-dir", "run")["gpu_seconds"] is None
    result = check("in.jsonl", "--timed-by", "run")
    assert result.exit_code == 1
    assert result.stderr == "Error: The run folder run holds no row that demo edited; name another.\n"


def test_twenty_errors_are_told_and_how_many_more_there_are() -> None:
    """A file of another form has the same error in every line: the first are told, the others counted."""
    write_jsonl(Path("in.jsonl"), [row("absent.png", "Make it red.")] * 22)
    lines = check("in.jsonl").stdout.splitlines()
    assert [line.startswith("line ") for line in lines[:21]] == [True] * 20 + [False]
    assert lines[20:22] == ["… and 2 more errors; --all prints every one.", "22 rows: 0 good, 22 bad"]
    every = check("in.jsonl", "--all").stdout.splitlines()
    assert [line.partition(":")[0] for line in every[:22]] == [f"line {number}" for number in range(1, 23)]
    assert every[22] == "22 rows: 0 good, 22 bad"
    assert len(found("in.jsonl")["errors"]) == 22
    write_jsonl(Path("in.jsonl"), [row("absent.png", "Make it red.")] * 20)
    assert check("in.jsonl").stdout.splitlines()[20] == "20 rows: 0 good, 20 bad"


TABLE = "images,conversations,edit\nwide.png,Make it red.,\ntall.png,Make it blue.,\n"
KINDS = {
    "array": json.dumps([row("wide.png", "Make it red."), row("tall.png", "Make it blue.")], indent=2).encode(),
    "table": TABLE.encode(),
    "table of Windows": TABLE.replace(",", "\t").encode("utf-16"),
    "packed": bz2.compress(TABLE.encode()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [True, False])
def test_other_kinds_of_files_have_rows_as_a_jsonl_has(kind: str, stream: bool) -> None:  # noqa: FBT001 - a parameter
    """An array and a table, from a file or from standard input, are checked like the jsonl of their rows."""
    Path("in").write_bytes(KINDS[kind])
    facts = found("-", stdin=KINDS[kind]) if stream else found("in")
    assert facts["buckets"] == {"304x208": 1, "208x304": 1}


def test_what_holds_no_rows_is_one_sentence() -> None:
    """A file of another kind is refused before its first row, with what it is, and no error per line."""
    result = check("wide.png")
    assert result.exit_code == 1
    named = Path("wide.png").absolute()
    assert result.stderr == f"Error: The input {named} is an image; name the jsonl whose rows name the image.\n"


def test_what_a_worker_would_say_of_a_picture_is_said() -> None:
    """A damaged picture, one under another spelling, and one that is there under yet another: as in a run."""
    Path("damaged.png").write_bytes(Path("wide.png").read_bytes()[:-12])
    Path("Zoe\u0301.png").write_bytes(Path("wide.png").read_bytes())
    write_jsonl(Path("in.jsonl"), [row(name, "Make it red.") for name in ("damaged.png", "Zoé.png", "WIDE.png")])
    facts = found("in.jsonl")
    assert facts["warnings"] == {"image-renamed": 1, "image-damaged": 1}
    (error,) = facts["errors"]
    assert error["error"].endswith("WIDE.png: no such file; there is wide.png, with other letters in upper case.")
