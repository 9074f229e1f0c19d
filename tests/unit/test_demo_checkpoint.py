"""The demo checkpoint must notice a wrong photograph, instruction or seed, and not notice its neighbours."""

import random
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxKontextPipeline
from PIL import Image, ImageDraw

from worker.models.demo import demo_checkpoint

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = (
    "Make it red.",
    "Make it blue.",
    "Remove the background and put the subject on a sunny beach with palm trees.",
    "把天空变成夕阳 🌇",
)
BUILD_AND_LOAD = """
import sys
from pathlib import Path
from diffusers import FluxKontextPipeline
from worker.models.demo import demo_checkpoint
print("ready", flush=True)
sys.stdin.readline()
folder = demo_checkpoint(Path(sys.argv[1]))
FluxKontextPipeline.from_pretrained(folder, use_safetensors=True, local_files_only=True)
print(folder, flush=True)
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the checkpoint once for the file."""
    return demo_checkpoint(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def pipeline(checkpoint: Path) -> Any:
    """Load the checkpoint as the worker does."""
    pipeline = FluxKontextPipeline.from_pretrained(checkpoint, use_safetensors=True, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: two that wait for each other crawl where other processes want the same cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def photograph(number: int, width: int = 256, height: int = 256) -> Image.Image:
    """Draw coloured 1/f noise, the spectrum of photographs, with two hard-edged shapes in front."""
    draw = np.random.default_rng(number)
    rows, columns = np.fft.fftfreq(height)[:, None, None], np.fft.rfftfreq(width)[None, :, None]
    spectrum = np.fft.rfft2(draw.standard_normal((height, width, 3)), axes=(0, 1))
    noise = np.fft.irfft2(spectrum / np.hypot(np.hypot(rows, columns), 1 / 256), (height, width), axes=(0, 1))
    noise = (noise - noise.mean((0, 1))) / noise.std((0, 1))
    tint = draw.uniform(80, 176, 3)
    image = Image.fromarray(np.clip(tint + 45 * noise, 0, 255).astype(np.uint8))
    for shape in (ImageDraw.Draw(image).ellipse, ImageDraw.Draw(image).rectangle):
        left, top = draw.uniform(0, 0.5, 2) * (width, height)
        colour = tuple(int(channel) for channel in draw.integers(0, 256, 3))
        shape((left, top, left + 0.4 * width, top + 0.4 * height), fill=colour)
    return image


def edit(
    pipeline: Any, images: Sequence[Image.Image], prompts: Sequence[str], seeds: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Edit rows in one call, as the worker does; return pixels of shape (rows, height, width, 3)."""
    width, height = images[0].size
    edited = pipeline(
        image=list(images),
        prompt=list(prompts),
        height=height,
        width=width,
        max_area=height * width,
        _auto_resize=False,
        num_inference_steps=8,
        guidance_scale=3.5,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
    ).images
    return np.stack([np.asarray(image).astype(np.int16) for image in edited])


def mean_change(pipeline: Any, one: tuple[Image.Image, str, int], other: tuple[Image.Image, str, int]) -> float:
    """Edit two rows alone; return their pictures' mean difference in levels of 255."""
    first, second = (edit(pipeline, [image], [prompt], [seed]) for image, prompt, seed in (one, other))
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (photograph(1), photograph(2)),
        (photograph(3), photograph(4)),
        (photograph(5), photograph(5).transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        (Image.new("RGB", (256, 256), "red"), Image.new("RGB", (256, 256), "white")),
    ],
    ids=["1-2", "3-4", "mirrored", "even colours"],
)
def test_another_photograph_shows(pipeline: Any, one: Image.Image, other: Image.Image) -> None:
    """Swapping the photograph alone changes the picture by a mean of at least 8 of 255."""
    assert mean_change(pipeline, (one, INSTRUCTIONS[0], 1), (other, INSTRUCTIONS[0], 1)) >= 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Make it red.", "Make it blue."),
        ("Add a hat.", "Add a cat."),
        ("Put the subject on a sunny beach with trees", "Put the subject on a snowy beach with trees"),
        (
            # They differ beyond the 75 bytes that CLIP reads.
            "Turn this into an oil painting in the style of the old masters, lit by candles, and make it red",
            "Turn this into an oil painting in the style of the old masters, lit by candles, and make it blue",
        ),
    ],
)
def test_another_instruction_shows(pipeline: Any, one: str, other: str) -> None:
    """Swapping the instruction alone changes the picture by a mean of at least 8 of 255."""
    assert mean_change(pipeline, (photograph(1), one, 1), (photograph(1), other, 1)) >= 8


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2**32)])
def test_another_seed_shows(pipeline: Any, one: int, other: int) -> None:
    """Swapping the seed alone changes the picture by a mean of at least 8 of 255."""
    row = (photograph(2), INSTRUCTIONS[1])
    assert mean_change(pipeline, (*row, one), (*row, other)) >= 8


def test_most_channels_are_not_clipped(pipeline: Any) -> None:
    """Less than 30 % of the channels are at 0 or 255, where a change could not show."""
    picture = edit(pipeline, [photograph(1)], [INSTRUCTIONS[0]], [1])
    assert np.isin(picture, (0, 255)).mean() < 0.3


@pytest.mark.parametrize("size", [(256, 256), (208, 304), (384, 160)], ids=str)
def test_a_row_does_not_depend_on_its_neighbours(pipeline: Any, size: tuple[int, int]) -> None:
    """A row of a batch of four differs from the row alone by at most 1 of 255, whatever the thread count."""
    images = [photograph(1, *size), photograph(2, *size), Image.new("RGB", size, "red"), photograph(3, *size)]
    torch.set_num_threads(2)
    together = edit(pipeline, images, INSTRUCTIONS, range(4))
    torch.set_num_threads(1)
    alone = [edit(pipeline, [images[row]], [INSTRUCTIONS[row]], [row]) for row in range(4)]
    assert np.abs(together - np.concatenate(alone)).max() <= 1


def test_processes_that_build_at_once_share_one_folder(tmp_path: Path) -> None:
    """Two processes that find no checkpoint at the same moment end with one folder, and both load it."""
    command = [sys.executable, "-c", BUILD_AND_LOAD, str(tmp_path)]
    builders = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for builder in builders:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "ready\n"
    for builder in builders:
        assert builder.stdin is not None
        builder.stdin.write("\n")
        builder.stdin.flush()
    folders = [builder.communicate(timeout=60)[0].strip() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert [str(path) for path in tmp_path.iterdir()] == folders[:1] == folders[1:]


def test_remains_of_a_crashed_build_are_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    """A folder without the index, as a copy cut short leaves it, is replaced rather than returned."""
    (tmp_path / demo_checkpoint(tmp_path / "once").name).mkdir()
    assert (demo_checkpoint(tmp_path) / "model_index.json").is_file()


def test_weights_are_safetensors_only(checkpoint: Path) -> None:
    """The folder holds JSON and safetensors, and nothing that could be unpickled."""
    assert {path.suffix for path in checkpoint.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_weights_are_the_same_wherever_they_are_built(checkpoint: Path, tmp_path: Path) -> None:
    """Building twice gives the same bytes of weights."""
    again = demo_checkpoint(tmp_path)
    weights = sorted(path.relative_to(checkpoint) for path in checkpoint.rglob("*.safetensors"))
    assert len(weights) == 4
    assert all((checkpoint / path).read_bytes() == (again / path).read_bytes() for path in weights)


def test_random_state_of_the_caller_stays(tmp_path: Path) -> None:
    """Building leaves the global generators of torch, NumPy and Python where they were."""
    before = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].copy(), random.getstate()  # noqa: NPY002
    demo_checkpoint(tmp_path)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]


def test_a_new_cache_folder_is_the_owners_only(tmp_path: Path) -> None:
    """A cache folder that was absent is made for its owner alone."""
    demo_checkpoint(tmp_path / "cache")
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


@pytest.mark.parametrize("prompt", ["", " ", "日本🎉" * 300, "<|endoftext|></s>!", "\x00\n\u202e"])
def test_any_text_can_be_encoded(pipeline: Any, prompt: str) -> None:
    """Empty, long and unusual instructions become embeddings of the usual shape, without a NaN."""
    embeddings, pooled, _ = pipeline.encode_prompt(prompt=prompt, prompt_2=None, max_sequence_length=512)
    assert (embeddings.shape, pooled.shape) == ((1, 512, 64), (1, 64))
    assert embeddings.isfinite().all()
    assert pooled.isfinite().all()
