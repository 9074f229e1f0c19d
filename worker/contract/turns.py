"""The turns of a row: edits one after the other, each of the picture that the one before it has made."""

from typing import NamedTuple

from worker.contract.messages import EditRequest
from worker.contract.seeds import image_seed, turn_seed


class Turn(NamedTuple):
    """One edit of a row; most rows have one alone."""

    #: From 1.
    number: int
    prompt: str
    #: One for each image.
    seeds: tuple[int, ...]


def turns_of(request: EditRequest) -> tuple[Turn, ...]:
    """Return a row's turns, in order.

    Image number k of a turn is made from image number k of the turn before; all of the first are made from the row's.
    """
    return tuple(Turn(number, prompt, _seeds(request, number)) for number, prompt in enumerate(request.prompts, 1))


def _seeds(request: EditRequest, turn: int) -> tuple[int, ...]:
    seed = turn_seed(request.seed, turn)
    return tuple(image_seed(seed, index) for index in range(request.num_images))
