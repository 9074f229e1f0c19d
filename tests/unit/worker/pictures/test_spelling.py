"""A missing file is looked for once more: another spelling of it is said, or taken where it looks the same."""

import os
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.files import encoded, photo
from worker.contract.errors import RowError
from worker.contract.row_warnings import RowWarning
from worker.pictures import spelling
from worker.pictures.decoding import read, size_of

DATA = encoded(photo(6, 4))
#: One name in the two forms that Unicode has for it, and in a mixture of both.
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zoé à Orléans.png") for form in ("NFC", "NFD"))
MIXED = COMPOSED[:5] + DECOMPOSED[7:]


def put(folder: Path, *names: str) -> None:
    """Write pictures of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(DATA)


def refusal(path: Path, root: Path | None = None) -> str:
    """Return why a path is refused, without itself; its header and its pixels are refused alike."""
    said = set()
    for look in (read, size_of):
        with pytest.raises(RowError) as error:
            look(path, root=root)
        said.add(str(error.value))
    (sentence,) = said
    return sentence.removeprefix(f"image {path}: ")


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (MIXED, COMPOSED), (MIXED, DECOMPOSED), (COMPOSED, MIXED),
        (f"é/{COMPOSED}", f"e\u0301/{COMPOSED}"), (f"é/{COMPOSED}", f"e\u0301/{DECOMPOSED}"),
        (f"a/é/b/{DECOMPOSED}", f"a/e\u0301/b/{COMPOSED}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rooted", [False, True])
def test_the_other_unicode_form_is_taken(tmp_path: Path, there: str, asked: str, *, rooted: bool) -> None:
    """A name that looks the same is the same, of a file and of its folders; the row says that it was so."""
    assert there != asked
    put(tmp_path, there)
    root = tmp_path if rooted else None
    assert size_of(tmp_path / asked, root=root) == (6, 4)
    assert read(tmp_path / asked, root=root).warnings == {RowWarning.IMAGE_RENAMED}


def test_of_several_that_look_the_same_none_is_taken(tmp_path: Path) -> None:
    """Where both forms are there and neither is the name, the row's owner decides."""
    put(tmp_path, COMPOSED, DECOMPOSED)
    reason = refusal(tmp_path / MIXED)
    assert reason.startswith('no such file; there is "Zo')
    assert reason.endswith(", in the other Unicode form (one of several such).")


def test_a_file_under_its_own_name_has_no_warning(tmp_path: Path) -> None:
    """What is there as it was asked for is taken, whatever else is there."""
    put(tmp_path, COMPOSED, DECOMPOSED)
    assert read(tmp_path / COMPOSED).warnings == frozenset()
    assert read(tmp_path / DECOMPOSED).warnings == frozenset()


@pytest.mark.parametrize(
    ("there", "asked", "said"),
    [
        ("A.PNG", "a.png", "A.PNG, with other letters in upper case"),
        ("a.png", "a.PNG", "a.png, with other letters in upper case"),
        ("aBc.png", "AbC.png", "aBc.png, with other letters in upper case"),
        ("Images/A.png", "images/a.png", "Images/A.png, with other letters in upper case"),
        ("a.png", "a.png ", "a.png, without a blank at an end"),
        ("a.png", " a.png", "a.png, without a blank at an end"),
        ("a.png ", "a.png", '"a.png ", with a blank at an end'),
        ("images/a.png", "images\\a.png", "images/a.png, with slashes instead of backslashes"),
        ("a b.png", "a%20b.png", '"a b.png", without percent escapes'),
        ("ä/b.png", "%C3%A4/b.png", "ä/b.png, without percent escapes"),
        ("x/a b.png", "x%5Ca%20b.png", '"x/a b.png", with slashes instead of backslashes and without percent escapes'),
        ("a%20b.png", "a b.png", "a%20b.png, with percent escapes"),
        ("A.png", "a.png ", "A.png, with other letters in upper case and without a blank at an end"),
        ("Images/a.png", "images\\a.png",
         "Images/a.png, with slashes instead of backslashes and with other letters in upper case"),
        (f"{DECOMPOSED.upper()}", COMPOSED,
         f'"{DECOMPOSED.upper()}", in the other Unicode form and with other letters in upper case'),
    ],
)  # fmt: skip
def test_another_spelling_is_said_and_not_taken(tmp_path: Path, there: str, asked: str, said: str) -> None:
    """What was meant is not guessed: the sentence says what there is and in what it differs."""
    put(tmp_path, there)
    assert refusal(tmp_path / asked) == f"no such file; there is {said}."


def test_of_several_the_nearest_is_said(tmp_path: Path) -> None:
    """A name that differs in one thing is nearer than one that differs in two."""
    put(tmp_path, "A.png", "A.png ")
    assert refusal(tmp_path / "a.png") == "no such file; there is A.png, with other letters in upper case."
    assert "(one of several such)" not in refusal(tmp_path / "a.png ")
    put(tmp_path, "a.pNg")
    assert refusal(tmp_path / "a.png").endswith("with other letters in upper case (one of several such).")


@pytest.mark.parametrize("asked", ["b.png", "images/b.png", "a.png.png", "a", "..", "a.png/", "%2e%2e", "%00"])
def test_where_nothing_is_near_nothing_is_said(tmp_path: Path, asked: str) -> None:
    """No sentence is better than a guess."""
    put(tmp_path, "here/a.png")
    assert refusal(tmp_path / "here" / "absent" / asked) == "no such file."
    assert refusal(tmp_path / "here" / f"x{asked}") == "no such file."


def test_a_path_of_windows_is_known(tmp_path: Path) -> None:
    """Where there is nothing with slashes either, the backslashes are spoken of."""
    reason = refusal(tmp_path / "C:\\data\\a.png")
    assert reason == "no such file; its name has backslashes, as paths of Windows do."


def test_nothing_out_of_the_root_is_taken_or_spoken_of(tmp_path: Path) -> None:
    """Another spelling that leads out of the root, by whatever way, is as if it were not there."""
    root = tmp_path / "root"
    put(tmp_path, "root/here.png", "secret/a b.png", f"secret/{COMPOSED}", "A.PNG")
    (root / "é").symlink_to(tmp_path / "secret")
    (root / "Link.png").symlink_to(tmp_path / "A.PNG")
    for asked in (
        f"e\u0301/{COMPOSED}", f"e\u0301/{DECOMPOSED}", "%2e%2e/secret/a b.png", "..%2Fsecret%2Fa%20b.png",
        quote("é") + "/a b.png", "..\\secret\\a b.png", "link.png", "é%2Fa b.png",
    ):  # fmt: skip
        assert not refusal(root / asked, root).startswith("no such file; there is"), asked
    # A root that is not there says nothing of what is around it.
    assert refusal(tmp_path / "Root/a.png", tmp_path / "Root") == "no such file."
    # Without a root the same links are followed.
    assert read(root / f"e\u0301/{COMPOSED}").warnings == {RowWarning.IMAGE_RENAMED}


def test_a_large_folder_is_not_read_for_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's names are read once until it changes; of one with too many names only likely ones are tried."""
    read_folders: list[Path] = []
    scandir = os.scandir

    def counted(folder: Path) -> object:
        read_folders.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", counted)
    put(tmp_path, "aBc.png")
    for number in range(50):
        assert refusal(tmp_path / f"absent-{number}.png") == "no such file."
        assert refusal(tmp_path / "AbC.png").startswith("no such file; there is aBc.png")
    assert read_folders == [tmp_path]

    monkeypatch.setattr(spelling, "_MOST_NAMES", 3)
    put(tmp_path, "b.png", "c.png", DECOMPOSED)
    assert refusal(tmp_path / "AbC.png") == "no such file."
    assert refusal(tmp_path / "B.png").startswith("no such file; there is b.png")
    assert read(tmp_path / COMPOSED).warnings == {RowWarning.IMAGE_RENAMED}
    assert len(read_folders) == 2


def test_a_folder_that_changed_is_read_again(tmp_path: Path) -> None:
    """Pictures that are put in place while rows fail are spoken of."""
    put(tmp_path, "b.png")
    assert refusal(tmp_path / "AbC.png") == "no such file."
    put(tmp_path, "aBc.png")
    os.utime(tmp_path, ns=(1, 1))  # clocks of file systems are coarse
    assert refusal(tmp_path / "AbC.png").startswith("no such file; there is aBc.png")
