"""Numbers of things in a sentence."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are, such as "1 row is" or "1,200 rows are"; `many` is `one` with an s, if it is not named."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
