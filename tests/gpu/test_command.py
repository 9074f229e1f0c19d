"""`python -m tests.gpu`: its options, what it says of this machine, and of what is wrong with it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.gpu.__main__ import main
from tests.gpu.cards import first_card
from tests.gpu.catalog import PARTS, Part
from tests.gpu.notes import Notes, Refused, read
from tests.gpu.scene import Scene, prepare, require_room, require_seen
from worker.models.speed.capabilities import Machine

NO_GCC = "a compiler (gcc; in Debian: apt-get install gcc)"
AMPERE = Machine(name="NVIDIA A100", is_gpu=True, capability=(8, 0), has_fp8=False, lacks_compiler=None)


def test_the_list_has_every_part() -> None:
    """With the seconds that it should take."""
    said = CliRunner().invoke(main, ["--list"]).stdout.splitlines()
    assert [line.split()[0] for line in said] == [part.name for part in PARTS]
    assert PARTS[0].name == "fp8", "what may end the process is alone, and first"


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--only", "fp9"], 2, "Error: --only: there is no part fp9; there are fp8, packages, card, "),
        (["--minutes", "0"], 2, "Error: Invalid value for '--minutes': 0.0 is not in the range x>0."),
        (["--only", "fp8", "--output", "/proc/nowhere"], 1, "Error: The results cannot be written to /proc/nowhere ("),
    ],
)
def test_wrong_use_is_one_sentence(options: list[str], code: int, sentence: str) -> None:
    """It is said before anything is begun."""
    done = CliRunner().invoke(main, options)
    assert done.exit_code == code
    assert done.stderr.splitlines()[-1].startswith(sentence)


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("NVIDIA H100 80GB HBM3, 580.65.06, 81559, 4, 0, 700.00, 31", None),
        (
            "NVIDIA H100 80GB HBM3, 580.65.06, 81559, 20480, 93, 700.00, 71",
            (
                "The card is in use: 20.0 of 79.6 GiB are taken and it is 93 % busy, so figures are worse than its own;"
                " end what else runs on it."
            ),
        ),
        ("NVIDIA H100 80GB HBM3, 580.65.06, 81559, 4, [N/A], [N/A], 31", None),
    ],
)
def test_a_card_in_use_is_told(tmp_path: Path, said: str, trouble: str | None) -> None:
    """By what nvidia-smi prints."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{said}'\n")
    tool.chmod(0o755)
    card = first_card(str(tool))
    assert card is not None
    assert str(card).startswith("NVIDIA H100 80GB HBM3, 80 GiB, driver 580.65.06, ")
    assert card.trouble == trouble


@pytest.mark.parametrize("script", ["#!/bin/sh\necho No devices were found; exit 6\n", "#!/bin/sh\nexit 0\n"])
def test_no_card_is_no_card(tmp_path: Path, script: str) -> None:
    """A tool that finds none, or that says nothing."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(script)
    tool.chmod(0o755)
    assert first_card(str(tool)) is None


@pytest.fixture
def here(tmp_path: Path) -> Scene:
    """Look around."""
    return Scene.here(tmp_path, tiny=True, compiled=True, limit=60)


def test_without_a_compiler_the_rest_is_measured(here: Scene) -> None:
    """What compiles goes uncompiled, and what is nothing without it is refused in one sentence."""
    scene = replace(here, machine=replace(AMPERE, lacks_compiler=NO_GCC))
    assert not prepare(Part(name="bench", what="", seconds=1), scene).compiled
    with pytest.raises(Refused) as refused:
        prepare(Part(name="compiled", what="", seconds=1, is_compiled=True), scene)
    assert str(refused.value) == f"needs {NO_GCC}"


def test_what_a_card_cannot_is_noted_and_the_others_are_measured(here: Scene, tmp_path: Path) -> None:
    """Without fp8 there is no `fast`; where nothing is left the part is refused."""
    notes, scene = Notes(tmp_path, "bench"), replace(here, machine=AMPERE)
    assert scene.profiles(notes, "exact", "fast") == ["exact"]
    assert (read(tmp_path, "bench") or {})["facts"] == {
        "fast": "FLEET_PROFILE=fast needs a GPU that multiplies in fp8 (compute capability 8.9; NVIDIA A100 has 8.0);"
        " FLEET_PROFILE=exact works here."
    }
    with pytest.raises(Refused):
        scene.profiles(notes, "fast")


def test_a_card_that_is_too_small_is_told_the_numbers() -> None:
    """What is needed, what is free and what there is."""
    part = Part(name="bench", what="", seconds=1, gigabytes=45)
    require_room(part, 45 * 2**30, 80 * 2**30)
    with pytest.raises(Refused, match=r"^needs 45 GiB of the GPU's memory, and 20\.5 of 24\.0 GiB are free: end what"):
        require_room(part, int(20.5 * 2**30), 24 * 2**30)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU")
def test_a_gpu_that_torch_does_not_see_is_told(here: Scene) -> None:
    """Nothing is rehearsed on a CPU in its place."""
    require_seen(here, gpu=False)
    with pytest.raises(Refused, match=r"^PyTorch .* finds no CUDA GPU, and nvidia-smi does: install one for the dr"):
        require_seen(here, gpu=True)
