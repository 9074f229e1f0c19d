"""Seeds: a row's from the run's, a turn's and an image's from the row's; fixed for ever: pictures follow from them."""

from worker.contract.fingerprint import digest


def row_seed(run_seed: int, row: int) -> int:
    """Derive a row's seed from the run's seed and the row's number.

    The first 53 bits of SHA-256 of the text "<run seed>:<row>": any JSON reader holds 53 bits exactly.
    """
    return _derived(f"{run_seed}:{row}")


def turn_seed(seed: int, turn: int) -> int:
    """Return the seed of a row's turn number `turn` (from 1): the row's own for the first.

    For the others the first 53 bits of SHA-256 of the text "<row's seed>:turn:<turn>".
    """
    return seed if turn == 1 else _derived(f"{seed}:turn:{turn}")


def image_seed(seed: int, index: int) -> int:
    """Return the seed of image number `index` (0-based) of a row, or of a turn: its own for the first."""
    return seed if index == 0 else row_seed(seed, index)


def _derived(text: str) -> int:
    return int(digest(text), 16) >> (256 - 53)
