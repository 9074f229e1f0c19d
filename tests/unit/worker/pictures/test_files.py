"""A row's files are whole or absent, and known again."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.requests import make_request
from worker.contract.errors import RowError
from worker.contract.messages import EditRequest
from worker.contract.parameters import ImageFormat
from worker.contract.seeds import image_seed, turn_seed
from worker.pictures.files import finished, sample_paths, save, turn_paths


@pytest.fixture
def request_(tmp_path: Path) -> EditRequest:
    """Return a request for two images."""
    (tmp_path / "run").mkdir()
    return make_request(output_dir=str(tmp_path / "run"))


def pictures(mode: str = "RGB") -> list[Image.Image]:
    """Make two pictures, the second in the mode."""
    noise = Image.effect_noise((40, 30), 50)
    return [noise.convert("RGB"), noise.convert(mode)]


def save_all(request: EditRequest, images: list[Image.Image]) -> tuple[str, ...]:
    """Save a row that nobody has changed meanwhile."""
    return save(request, images, profile="exact", confirm=lambda: None)


def files_in(request_: EditRequest) -> list[str]:
    """Return the names of all files of a run, hidden ones too."""
    folder = Path(request_.output_dir)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def umask() -> Iterator[int]:
    """Set a umask that is not the usual one."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_names() -> None:
    """Images are named as DataFlow names them."""
    assert sample_paths(make_request(row=12)) == ("sample_12/sample_12_0.png", "sample_12/sample_12_1.png")


def test_a_row_in_a_shard(request_: EditRequest) -> None:
    """A row of a run in shards lies in its shard's folder, which is made with it, and is known again there."""
    request = request_.model_copy(update={"shard_folders": 5})
    assert save_all(request, pictures()) == ("shard_0001/sample_7/sample_7_0.png", "shard_0001/sample_7/sample_7_1.png")
    assert files_in(request) == list(sample_paths(request))
    assert finished(request)
    assert not finished(request_)


def test_a_shard_that_leads_out_of_the_root_is_refused(request_: EditRequest, tmp_path: Path) -> None:
    """A link in the place of a shard leads nobody out of the folder that is meant for runs."""
    (tmp_path / "elsewhere").mkdir()
    (Path(request_.output_dir) / "shard_0001").symlink_to(tmp_path / "elsewhere")
    request = request_.model_copy(update={"shard_folders": 5})
    root = Path(request_.output_dir)
    with pytest.raises(RowError, match=r"/shard_0001/sample_7: leads out of FLEET_OUTPUT_ROOT\.$"):
        save(request, pictures(), profile="exact", confirm=lambda: None, root=root)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_only_final_names_are_left(request_: EditRequest) -> None:
    """After saving there are the images under their final names and nothing else, and their pixels are right."""
    images = pictures()
    paths = save_all(request_, images)
    assert files_in(request_) == list(paths) == list(sample_paths(request_))
    for path, image in zip(paths, images, strict=True):
        with Image.open(Path(request_.output_dir) / path) as found:
            assert found.tobytes() == image.tobytes()


def test_the_pictures_of_every_turn_are_kept(request_: EditRequest) -> None:
    """Those of the last under the row's names, the others beside them; each says which turn made it, and how."""
    request = request_.model_copy(update={"earlier_prompts": ("v", "w")})
    images = [Image.new("RGB", (4, 3), (turn, 0, 0)) for turn in range(6)]
    paths = save_all(request, images)
    assert paths == (*turn_paths(request), *sample_paths(request))
    assert turn_paths(request) == tuple(f"sample_7/turn_{turn}_{index}.png" for turn in (1, 2) for index in (0, 1))
    assert files_in(request) == sorted(paths)
    seeds = [image_seed(turn_seed(0, turn), index) for turn in (1, 2, 3) for index in (0, 1)]
    told = list(zip("vvwwxx", seeds, ["1 of 3"] * 2 + ["2 of 3"] * 2 + ["3 of 3"] * 2, strict=True))
    for path, image, (prompt, seed, turn) in zip(paths, images, told, strict=True):
        with Image.open(Path(request.output_dir) / path) as found:
            assert found.tobytes() == image.tobytes()
            assert [found.info[f"fleet:{name}"] for name in ("instruction", "seed", "turn")] == [
                prompt,
                str(seed),
                turn,
            ]
    assert finished(request)


def test_a_row_of_turns_is_finished_as_a_whole(request_: EditRequest) -> None:
    """Where the picture of any turn is gone it is not; a form of the row without turns leaves none behind."""
    request = request_.model_copy(update={"earlier_prompts": ("w",)})
    save_all(request, pictures() * 2)
    (Path(request.output_dir) / turn_paths(request)[1]).unlink()
    assert not finished(request)
    save_all(request_, pictures())
    assert files_in(request_) == list(sample_paths(request_))


def test_a_finished_row_is_known_again(request_: EditRequest) -> None:
    """A row counts as finished once its whole set of files is there."""
    assert not finished(request_)
    save_all(request_, pictures())
    assert finished(request_)


def test_another_form_of_the_row_is_not_finished(request_: EditRequest) -> None:
    """Files of another fingerprint do not count, and are replaced."""
    save_all(request_, pictures())
    changed = request_.model_copy(update={"fingerprint": "b" * 32})
    assert not finished(changed)
    save_all(changed, pictures())
    assert finished(changed)
    assert not finished(request_)


@pytest.mark.parametrize("index", [0, 1])
def test_a_missing_file_counts(request_: EditRequest, index: int) -> None:
    """A row of two images is not finished with one."""
    paths = save_all(request_, pictures())
    (Path(request_.output_dir) / paths[index]).unlink()
    assert not finished(request_)


def test_a_truncated_file_does_not_count(request_: EditRequest) -> None:
    """Wherever a file ends before its last pixel, the row is not finished, and nothing is raised."""
    path = Path(request_.output_dir) / save_all(request_, pictures())[1]
    data = path.read_bytes()
    # The last 12 bytes are the end mark; before it stand 4 of the pixels' chunk and 4 of their compression, as checks.
    for length in [*range(200), *range(200, len(data) - 24, 97), len(data) - 24]:
        path.write_bytes(data[:length])
        assert not finished(request_), length


@pytest.mark.parametrize("image_format", ["webp", "jpg"])
def test_other_formats_are_known_again(tmp_path: Path, image_format: ImageFormat) -> None:
    """A row in another format is finished once its files are there, whole, and of its own fingerprint."""
    request = make_request(output_dir=str(tmp_path), image_format=image_format, num_images=1)
    (path,) = save_all(request, pictures()[:1])
    assert path == f"sample_7/sample_7_0.{image_format}"
    assert finished(request)
    assert not finished(request.model_copy(update={"fingerprint": "b" * 32}))
    data = (tmp_path / path).read_bytes()
    # A JPEG ends with a mark of two bytes; that and the filling of its last block are not missed.
    for length in [*range(0, len(data) - 60, 61), len(data) - 60]:
        (tmp_path / path).write_bytes(data[:length])
        assert not finished(request), length


@pytest.mark.parametrize("image_format", ["png", "webp", "jpg"])
def test_a_damaged_file_is_no_obstacle(tmp_path: Path, image_format: ImageFormat) -> None:
    """Wherever a byte of a file's first 400 is wrong, the row is finished or not, and nothing is raised."""
    request = make_request(output_dir=str(tmp_path), image_format=image_format, num_images=1)
    (path,) = save_all(request, pictures()[:1])
    data = (tmp_path / path).read_bytes()
    answers = set()
    for place in range(400):
        (tmp_path / path).write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        answers.add(finished(request))
    assert False in answers


def test_images_of_an_older_form_are_dropped(request_: EditRequest) -> None:
    """A row that has fewer images now, or another format, leaves none of the older ones behind, and no other file."""
    save_all(request_, pictures())
    (Path(request_.output_dir) / "sample_7/notes.png").write_text("the user's own")
    save_all(request_.model_copy(update={"num_images": 1, "image_format": "webp"}), pictures()[:1])
    assert files_in(request_) == ["sample_7/notes.png", "sample_7/sample_7_0.webp"]


def test_a_file_that_is_no_picture_does_not_count(request_: EditRequest) -> None:
    """A folder or a text under an image's name is no finished row."""
    first, second = (Path(request_.output_dir) / path for path in save_all(request_, pictures()))
    first.write_text("no picture")
    second.unlink()
    second.mkdir()
    assert not finished(request_)


def test_a_failure_leaves_nothing_behind(request_: EditRequest) -> None:
    """An image that cannot be encoded leaves neither a file of its own nor a temporary one."""
    with pytest.raises(RowError, match=r"^output folder .*/sample_7: "):
        save_all(request_, pictures("HSV"))
    assert files_in(request_) == []
    assert not finished(request_)


def test_a_row_that_changed_meanwhile_leaves_the_newer_images(request_: EditRequest) -> None:
    """Where the last look says that the row has a newer form, nothing of that is overwritten or dropped."""

    def refuse() -> None:
        raise RowError("a newer form of it was submitted.")

    save_all(request_, pictures())
    older = request_.model_copy(update={"fingerprint": "b" * 32, "num_images": 1, "image_format": "webp"})
    with pytest.raises(RowError, match="newer form"):
        save(older, pictures()[:1], profile="exact", confirm=refuse)
    assert finished(request_)
    assert files_in(request_) == list(sample_paths(request_))


def test_a_folder_that_cannot_be_made_is_named(request_: EditRequest) -> None:
    """Where the run folder is a file, the row's error names the folder and the reason."""
    Path(request_.output_dir, "sample_7").write_text("in the way")
    with pytest.raises(RowError, match=rf"^output folder {request_.output_dir}/sample_7: .*File exists"):
        save_all(request_, pictures())


def test_permissions_are_the_users(request_: EditRequest, umask: int) -> None:
    """Files get the permissions that the umask leaves, so that others may read them."""
    paths = save_all(request_, pictures())
    modes = {stat.S_IMODE((Path(request_.output_dir) / path).stat().st_mode) for path in paths}
    assert modes == {0o666 & ~umask}


@pytest.mark.parametrize("shard_folders", [None, 5])
def test_a_run_folder_that_is_not_shared_is_never_invented(request_: EditRequest, shard_folders: int | None) -> None:
    """Where the run folder is missing, the worker makes none: its pictures would be lost to the user."""
    Path(request_.output_dir).rmdir()
    with pytest.raises(RowError, match="is not on the worker's machine; producer and workers must share it"):
        save_all(request_.model_copy(update={"shard_folders": shard_folders}), pictures())
    assert not Path(request_.output_dir).exists()
