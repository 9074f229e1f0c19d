"""Seeds: a row's own from the run's, and an image's from its row's; fixed for ever, since pictures follow from them."""

from worker.contract.fingerprint import digest


def row_seed(run_seed: int, row: int) -> int:
    """Derive a row's seed from the run's seed and the row's number.

    The first 53 bits of SHA-256 of the text "<run seed>:<row>": any JSON reader holds 53 bits exactly.
    """
    return int(digest(f"{run_seed}:{row}"), 16) >> (256 - 53)


def image_seed(seed: int, index: int) -> int:
    """Return the seed of a row's image number `index` (0-based): the row's own for the first."""
    return seed if index == 0 else row_seed(seed, index)
