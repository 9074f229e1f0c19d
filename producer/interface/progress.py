"""Showing how far a run is to a program's user: rich's bar, tqdm's, or whatever the program makes of the counts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any, Literal

from rich.console import Console

from producer.collecting.display import Display, display
from producer.collecting.progress import Status
from producer.conducting.host import Say, Show
from worker.contract.errors import SettingsError

#: What a program may say: a bar by its name, a function that is given a `Status` at each change, or nothing.
Progress = Literal["rich", "tqdm"] | Callable[[Status], None] | None


def shown(progress: Progress, say: Say) -> Show:
    """Return what shows how far a run is.

    Raises:
        SettingsError: it is none of these, or tqdm is not installed.

    """
    if progress == "tqdm":
        if find_spec("tqdm") is None:
            raise SettingsError('progress="tqdm" needs tqdm: pip install tqdm, or say progress="rich".')
        return lambda *, passing=False: _tqdm() if not passing else nullcontext(_Callback(_nothing))
    if progress == "rich":
        # A console for each: rich shows one bar at a time on one.
        return lambda *, passing=False: display(Console(stderr=True), say, passing=passing)
    if progress is not None and not callable(progress):
        raise SettingsError(f'progress is "rich", "tqdm" or a function of a Status; found {progress!r}.')
    return lambda *, passing=False: nullcontext(_Callback(progress or _nothing))  # noqa: ARG005 - as Show has it


def _nothing(_: object) -> None:
    pass


class _Callback:
    def __init__(self, tell: Callable[[Status], None]) -> None:
        self._tell = tell

    def __call__(self, status: Status) -> None:
        self._tell(status)

    def stage(self, doing: str) -> None:
        pass

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


class _Tqdm:
    """tqdm's bar of a terminal or a notebook, whichever there is."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def __call__(self, status: Status) -> None:
        self._bar.total = status.total
        self._bar.set_postfix(failed=status.failed, refresh=False)
        self._bar.update(status.answered - self._bar.n)

    def stage(self, doing: str) -> None:
        self._bar.set_postfix_str(doing)

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def _tqdm() -> Iterator[Display]:
    from tqdm.auto import tqdm  # noqa: PLC0415 - not in the base install

    with tqdm(unit="row", desc="edit") as bar:
        yield _Tqdm(bar)
