"""DataFlow's users: what goes wrong there and right here, case by case, through the command line and real workers."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from producer.run.ledger import Ledger
from producer.run.records import State
from tests.conftest import Fleet, Start
from tests.support.cli import CLI, row, write_jsonl
from tests.support.discs import measure, paint
from tests.support.edited import BLUE, GREEN, RED, WHITE, Edited, colour, edit, far, plain, same
from tests.support.hub import fetch
from tests.support.pictures import photo
from tests.support.workers import WorkerProcess, fork_worker
from worker.contract.outcomes import open_redis
from worker.contract.seeds import image_seed, row_seed

#: What a user may have typed: long numbers, escapes, blanks, and no column that others have.
TYPED = (
    '{"images": "green.png",  "conversations": ["x"], "n": 123456789012345678901234567890, "x": 0.10000000000000001,'
    ' "e": 1E5, "url": "http:\\/\\/host\\/a", "s": "\\u00e9 é", "z": null'
)


@pytest.fixture(scope="module")
def mended(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Edit good and bad rows of many kinds in one run."""
    folder = tmp_path_factory.mktemp("mended")
    shades = {"red.png": RED, "green.png": GREEN, "blue.png": BLUE}
    for name, shade in shades.items():
        plain(folder / name, shade)
    whole = photo("coffee", 300, 200, folder / "whole.png").read_bytes()
    (folder / "corrupt.png").write_bytes(whole[: len(whole) // 2])
    lying = Image.new("RGB", (200, 100), RED)
    lying.paste(BLUE, (100, 0, 200, 100))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera was held upright: to be turned by 90° clockwise
    lying.save(folder / "lying.png", exif=exif)
    nearly_clear = Image.new("RGBA", (200, 100), (*RED, 0))
    nearly_clear.putpixel((0, 0), (*WHITE, 255))  # where nothing shows at all, a viewer shows the colours
    nearly_clear.save(folder / "clear.png")
    plain(folder / "half.png", (255, 0, 0, 128), "RGBA")
    mixed = {f"string {name}": row(name, "x") for name in shades} | {
        f"list {name}": {**row("", "x"), "images": [name, "absent.png"]} for name in shades
    }
    rows: dict[str, Any] = {
        **{name: mixed[name] for name in sorted(mixed, key=lambda name: name.partition(" ")[2])},
        "missing": row("absent.png", "x"),
        "corrupt": row("corrupt.png", "x"),
        "no json": '{"images": "red.png", "conversations"',
        "after": row("blue.png", "x"),
        "typed": TYPED + "}",
        "empty": row("red.png", " "),
        "absent": {"images": "red.png"},
        "mis-shaped": {"images": "red.png", "conversations": {"role": "user", "content": "x"}},
        "url": row("https://host/a.png", "x"),
        "lying": row("lying.png", "x", edit={"size": "input"}),
        "clear": row("clear.png", "x"),
        "half": row("half.png", "x"),
        "last": row("green.png", "x"),
    }
    return edit(passthrough.cli(folder), rows, "--run-dir", "r", code=3)


@pytest.fixture(scope="module")
def full_size(passthrough: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    """Let pictures with a disc go to FLUX-Kontext's own resolutions and back, without its weights."""
    folder = tmp_path_factory.mktemp("full-size")
    paint("coffee", 1920, 1080, folder / "1920.png")
    paint("astronaut", 600, 900, folder / "600.png")
    settings = {**passthrough.settings, "diffuser_model_name": "FLUX-Kontext"}
    worker = fork_worker("full-size", folder / "log", settings, app="tests.support.passthrough")
    rows = {
        "wide": row("1920.png", "x"),
        "tall": row("600.png", "x"),
        **{size: row("600.png", "x", edit={"size": size}) for size in ("input", "bucket")},
    }
    try:
        yield edit(CLI(folder, settings), rows)
    finally:
        worker.stop()


#: Rows of one shape: an instruction for each photograph.
PAIRED = {"coffee": "Make it red.", "camera": "Add a hat.", "chelsea": "Make it grey.", "astronaut": "Remove it."}
FIRST, SECOND = "Make it red.", "Make it blue."
SMALL = ("--steps", 2, "--size", "128x128")


@pytest.fixture(scope="module")
def demo(session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory) -> CLI:
    """Have photographs for the demo model."""
    del shared_workers
    folder = tmp_path_factory.mktemp("demo")
    for name in PAIRED:
        photo(name, 200, 200, folder / f"{name}.png")
    return CLI(folder, {"broker_url": session_redis})


@pytest.fixture(scope="module")
def together(demo: CLI) -> Edited:
    """Let the demo model edit rows in batches, two images for each of the first four."""
    user, assistant = {"role": "user", "content": FIRST}, {"role": "assistant", "content": SECOND}
    conversations = {
        "user": [user],
        "assistant last": [user, assistant],
        "without a role": [assistant, {"content": FIRST}],
        "other": [{"role": "user", "content": SECOND}],
    }
    rows = {
        **{name: row(f"{name}.png", text) for name, text in PAIRED.items()},
        **{
            name: {"images": "coffee.png", "conversations": found, "edit": {"seed": 11, "num_images": 1}}
            for name, found in conversations.items()
        },
        **{name: row("coffee.png", FIRST, edit={"num_images": 1}) for name in ("one", "two")},
    }
    return edit(demo, rows, "--run-dir", "together", *SMALL, "--num-images", 2, "--seed", 7)


@pytest.fixture(scope="module")
def alone(demo: CLI) -> Edited:
    """Let the demo model edit the first four rows again, each image alone: the next is sent when it is answered."""
    rows = {
        f"{name} {index}": row(f"{name}.png", text, edit={"seed": image_seed(row_seed(7, number), index)})
        for number, (name, text) in enumerate(PAIRED.items())
        for index in range(2)
    }
    found = edit(demo, rows, "--run-dir", "alone", *SMALL, "--max-queued", 1, source="alone.jsonl")
    assert {outcome.batch_size for outcome in found.outcomes if outcome} == {1}
    return found


def test_one_missing_or_corrupt_image(mended: Edited) -> None:
    """The row of a missing or corrupt image carries its error; every other row is done."""
    missing, corrupt = (mended.fields(name) for name in ("missing", "corrupt"))
    assert missing["error"] == f"line 7: image {mended.folder}/absent.png: no such file."
    assert corrupt["error"].startswith(f"line 8: image {mended.folder}/corrupt.png: is broken")
    assert missing["output_image"] == corrupt["output_image"] == []
    assert colour(mended.picture("after")) == BLUE
    assert colour(mended.picture("last")) == GREEN


def test_a_slice_that_mixes_string_and_list_images(mended: Edited) -> None:
    """Rows with string and list `images` share a batch, and each gets its own picture."""
    kinds: dict[str | None, set[str]] = {}
    for name in mended.names[:6]:
        kind, _, source = name.partition(" ")
        assert colour(mended.picture(name)) == {"red.png": RED, "green.png": GREEN, "blue.png": BLUE}[source]
        kinds.setdefault(mended.outcome(name).batch_id, set()).add(kind)
    assert {"string", "list"} in kinds.values()


@pytest.mark.parametrize(("name", "bucket"), [("wide", (1392, 752)), ("tall", (832, 1248))])
def test_the_first_image_of_a_slice_picks_no_resolution(full_size: Edited, name: str, bucket: tuple[int, int]) -> None:
    """1920×1080 beside 600×900: each goes at its own bucket, and a disc stays round within 1 %."""
    assert full_size.outcome(name).bucket == bucket
    assert measure(full_size.picture(name)).elongation < 1.01


def test_the_outputs_size(full_size: Edited) -> None:
    """The output has the input's aspect ratio at one megapixel, or the input's exact size, or the model's bucket."""
    for name, ratio in {"wide": 1920 / 1080, "tall": 600 / 900}.items():
        width, height = full_size.picture(name).size
        assert width / height == pytest.approx(ratio, rel=1 / 1500)  # half a pixel of the shorter side
        assert width * height == pytest.approx(1024 * 1024, rel=0.02)
    assert full_size.picture("input").size == (600, 900)
    assert full_size.picture("bucket").size == (832, 1248)


def test_more_than_one_image_per_prompt(together: Edited, alone: Edited) -> None:
    """Two images per row in a batch of several rows are, to 1/255, what each row gets alone, and no other's."""
    assert max(together.outcome(name).batch_size or 0 for name in PAIRED) > 1
    pictures = {f"{name} {index}": together.picture(name, index) for name in PAIRED for index in range(2)}
    for name, picture in pictures.items():
        assert same(picture, alone.picture(name)), name
    for one, other in combinations(pictures, 2):
        # Two of one row differ in their noise alone, of which the model leaves little.
        of_one_row = one.split()[0] == other.split()[0]
        assert not same(pictures[one], pictures[other]), (one, other)
        assert of_one_row or far(pictures[one], pictures[other]), (one, other)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("empty", "line 12: conversations: no user turn with text."),
        ("absent", 'line 13: conversations: expected a list of turns, found no such field (there is "images").'),
        ("mis-shaped", "line 14: conversations: expected a list of turns, found an object."),
    ],
)
def test_no_instruction(mended: Edited, name: str, error: str) -> None:
    """An empty, missing or mis-shaped instruction is a row error that names the row and the field."""
    assert mended.fields(name)["error"] == error
    assert mended.fields(name)["output_image"] == []


def test_an_assistants_turn_is_no_instruction(together: Edited) -> None:
    """The last *user* turn is the instruction; a turn without a role counts as the user's."""
    assert same(together.picture("assistant last"), together.picture("user"))
    assert same(together.picture("without a role"), together.picture("user"))
    assert far(together.picture("other"), together.picture("user"))


def test_resume_after_reordering(passthrough: Fleet, tmp_path: Path) -> None:
    """After reordering, a row that changed is redone and has its own picture; one in its place is not touched."""
    rows = {
        name: row(plain(tmp_path / f"{name}.png", shade), "x", edit={"seed": 3})
        for name, shade in {"red": RED, "green": GREEN, "blue": BLUE}.items()
    }
    cli = passthrough.cli(tmp_path)
    first = edit(cli, rows, "--run-dir", "r")
    written = (tmp_path / first.fields("green")["output_image"][0]).stat().st_mtime_ns
    again = edit(cli, {name: rows[name] for name in ("blue", "green", "red")}, "--run-dir", "r")
    assert {name: colour(again.picture(name)) for name in rows} == {"red": RED, "green": GREEN, "blue": BLUE}
    assert [again.fields(name)["images"] for name in again.names] == ["blue.png", "green.png", "red.png"]
    assert (tmp_path / again.fields("green")["output_image"][0]).stat().st_mtime_ns == written


def test_a_bad_json_line(mended: Edited) -> None:
    """Every input line has exactly one output line, a bad json line its own text; later rows keep their numbers."""
    bad = mended.fields("no json")
    assert bad["raw"] == '{"images": "red.png", "conversations"'
    assert bad["error"].startswith("line 9: is no JSON (")
    number = mended.names.index("after")
    assert number == mended.names.index("no json") + 1
    assert mended.fields("after")["output_image"] == [f"./r/sample_{number}/sample_{number}_0.png"]


def test_every_field_survives(mended: Edited) -> None:
    """Every field survives exactly: digits, escapes and blanks; absent keys stay absent."""
    number = mended.names.index("typed")
    added = f', "output_image": ["./r/sample_{number}/sample_{number}_0.png"]}}'
    assert mended.lines[number] == TYPED + added
    assert list(mended.fields("after")) == ["images", "conversations", "output_image"]


@contextmanager
def halted(worker: WorkerProcess) -> Iterator[None]:
    """Keep a worker from answering."""
    worker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


def test_save_interval(passthrough: Fleet, tmp_path: Path) -> None:
    """With `save_interval` 1 each finished row is in the ledger at once, and a collector that is killed loses none."""
    rows = [row(plain(tmp_path / f"{number}.png", (number, 0, 0)), "x") for number in range(60)]
    write_jsonl(tmp_path / "in.jsonl", rows)
    cli = CLI(tmp_path, {**passthrough.settings, "save_interval": 1})
    with open_redis(str(cli.settings["broker_url"])).monitor() as monitor:
        commands = (command["command"] for command in monitor.listen())
        with halted(passthrough.worker):  # until the collector waits for the first outcome
            assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
            collector = cli.begin("collect", "r")
            next(command for command in commands if command.startswith("XREAD "))
        committed = next(command for command in commands if command.startswith("XDEL ")).split()[2:]
        collector.kill()
    collector.communicate()
    with Ledger(tmp_path / "r", read_only=True) as ledger:
        done = ledger.states()[State.DONE]
    assert len(committed) <= done
    assert len(committed) < 5, "they had waited for others"
    assert cli("collect", "r").returncode == 0
    with Ledger(tmp_path / "r", read_only=True) as ledger:
        assert [(record.state, record.attempts) for record in ledger.records()] == [(State.DONE, 1)] * len(rows)


def test_exif_rotation_and_alpha(mended: Edited) -> None:
    """A picture is upright as its EXIF says, and alpha is composited on white."""
    upright = mended.picture("lying")
    assert upright.size == (100, 200)
    for place, expected in {(50, 40): RED, (50, 160): BLUE}.items():
        assert upright.getpixel(place) == pytest.approx(expected, abs=2)
    assert colour(mended.picture("clear")) == WHITE
    assert colour(mended.picture("half")) == (255, 127, 127)


def test_seeds(together: Edited, alone: Edited) -> None:
    """Each row has a seed, from the run's seed and the row's number; a row that names that seed has its picture."""
    for name in ("coffee", "one", "two"):
        assert together.outcome(name).seed == row_seed(7, together.names.index(name))
    assert not same(together.picture("one"), together.picture("two"))  # the same photograph and instruction
    assert together.outcome("user").seed == 11
    assert alone.outcome("coffee 0").seed == together.outcome("coffee").seed
    assert same(alone.picture("coffee 0"), together.picture("coffee"))


def test_hf_local_dir(hub: str, tmp_path: Path) -> None:
    """Models that are downloaded into one `hf_local_dir` have one folder each."""
    names = ("fine/one", "fine/two", "other/two")
    asked = [{"hf_model_name_or_path": name, "hf_local_dir": str(tmp_path / "models")} for name in names]
    folders = [Path(answer) for answer in fetch(hub, tmp_path, *asked)]
    assert len(set(folders)) == 3
    for folder in folders:
        assert folder.parent == tmp_path / "models"
        assert (folder / "model_index.json").is_file()


def test_a_url(mended: Edited) -> None:
    """A URL whose host nobody has named is a clear row error."""
    assert mended.fields("url")["error"] == (
        "line 15: images: https://host/a.png is on no host that FLEET_ALLOW_URLS (--allow-urls) names."
    )


def test_back_off_when_memory_runs_out(cli: CLI, start_plain: Start) -> None:
    """A batch for which memory does not suffice is tried in halves, until it does: no row is lost for it."""
    rows = {str(number): row(plain(cli.folder / f"{number}.png", (number, 0, 0)), "x") for number in range(4)}
    worker = start_plain(passthrough_most=1, batch_wait=60)  # until there are four
    edited = edit(cli, rows, "--run-dir", "r")
    assert [colour(edited.picture(name)) for name in rows] == [(number, 0, 0) for number in range(4)]
    assert {edited.outcome(name).batch_size for name in rows} == {1}
    for size in (4, 2):
        assert worker.logged(f"a batch of {size} rows failed (no memory for {size} rows)")


def test_progress_errors_times_and_retry(passthrough: Fleet, tmp_path: Path) -> None:
    """`status` counts, a column has each error, the ledger the seconds by stage, and a failed row is tried again."""
    rows = {"good": row(plain(tmp_path / "good.png", RED), "x"), "late": row("late.png", "x")}
    cli = passthrough.cli(tmp_path)

    def counts() -> tuple[int, ...]:
        found = json.loads(cli("status", "r", "--json").stdout)
        return tuple(found[key] for key in ("total", "done", "failed", "waiting"))

    write_jsonl(tmp_path / "in.jsonl", list(rows.values()))
    with halted(passthrough.worker):
        assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
        assert counts() == (2, 0, 0, 2)
    first = edit(cli, rows, "--run-dir", "r", code=3)
    assert counts() == (2, 1, 1, 0)
    assert "error" not in first.fields("good")
    assert first.fields("late")["error"] == f"line 2: image {tmp_path}/late.png: no such file."
    assert first.outcome("good").seconds.keys() == {"decode", "wait", "model", "encode"}
    assert first.outcome("late").seconds.keys() == {"decode"}
    plain(tmp_path / "late.png", BLUE)
    assert colour(edit(cli, rows, "--run-dir", "r").picture("late")) == BLUE
