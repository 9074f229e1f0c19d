"""From a data set of pictures to a data set of pictures: staged, edited by a real worker, and written as a table."""

from pathlib import Path

import datasets
import numpy as np
from PIL import Image

from producer.staging.stage import stage
from tests.conftest import Fleet

NUMBERS = [1000, 3]


def test_pictures_in_and_pictures_out(passthrough: Fleet, tmp_path: Path) -> None:
    """Rows keep their order and their numbers, and the library shows what the worker made of each picture."""
    pictures = [Image.linear_gradient("L").resize((64, 48)).convert("RGB"), Image.new("RGB", (64, 48), (200, 30, 40))]
    rows = datasets.Dataset.from_list(
        [{"photo": picture, "text": f"Make it {n}.", "n": n} for n, picture in enumerate(pictures)],
        features=datasets.Features(
            {"photo": datasets.Image(), "text": datasets.Value("string"), "n": datasets.Value("int64")}
        ),
    )
    stage(rows, tmp_path / "in.rows", pictures=tmp_path / "p", image_keys=["photo"], numbers=NUMBERS)
    cli = passthrough.cli(tmp_path)
    columns = ("--input-image-key", "photo", "--input-conversation-key", "text")
    table = ("--output", "out.parquet", "--output-images", "bytes")
    submitted = cli("submit", "in.rows", "--run-dir", "r", "--size", "input", *columns, *table)
    assert submitted.returncode == 0, submitted.stderr
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    found = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "out.parquet"), cache_dir=str(tmp_path / "cache"), split="train"
    )
    assert found["n"][:] == [0, 1]
    for number, row in zip(NUMBERS, found, strict=True):
        [shown] = row["output_image"]
        with Image.open(tmp_path / f"r/sample_{number}/sample_{number}_0.png") as made:
            assert np.array_equal(np.asarray(shown), np.asarray(made))
    assert cli("verify", "r").returncode == 0
