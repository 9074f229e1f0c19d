"""Seconds of a call on the device."""

import weakref
from pathlib import Path

from tests.gpu.scene import Scene
from tests.gpu.timing import seconds_of


class Output:
    """What a call makes: gigabytes on a GPU."""


def test_what_calls_make_is_let_go_at_once(tmp_path: Path) -> None:
    """However often something is called, one of what it makes is there at a time."""
    made: weakref.WeakSet[Output] = weakref.WeakSet()
    most = [0]

    def call() -> Output:
        output = Output()
        made.add(output)
        most[0] = max(most[0], len(made))
        return output

    assert seconds_of(call, Scene.here(tmp_path, tiny=True, compiled=False, limit=60)) > 0
    assert most == [1]
