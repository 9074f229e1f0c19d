"""What Flower shows of a row leads back to it."""

from producer.run.publishing import for_flower
from tests.support.requests import make_request


def test_a_task_names_its_row() -> None:
    """The picture, the instruction's first words, the folder and the row."""
    words = "把花瓶变成 'red'. " + "变" * 47
    request = make_request(
        images=("/data/a b.png",), prompt=f"{words.replace(' ', chr(10), 1)}{'变' * 9}", output_dir="/runs/one"
    )
    assert for_flower(request) == (f"(image='/data/a b.png', instruction=\"{words}…\", folder='/runs/one', row=7)")


def test_a_picture_in_the_row_is_not_shown() -> None:
    """A megabyte of base64 is no name."""
    shown = for_flower(make_request(images=("data:image/png;base64," + "A" * 1000,)))
    assert shown.startswith("(image='(in the row itself)', ")
    assert len(shown) < 200


def test_a_row_without_a_picture_shows_none() -> None:
    """Its instruction is what it is known by."""
    request = make_request(task="text2image", images=(), prompt="A house.", size="256x256", output_dir="/run")
    assert for_flower(request) == "(instruction='A house.', folder='/run', row=7)"
