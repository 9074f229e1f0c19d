"""Tests of `tests/models` as a part: they take a GPU where there is one."""

from collections.abc import Sequence
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

import pytest

from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from tests.support.place import PROJECT

#: For pytest's -k: without the tests whose ways of a model compile it.
NOTHING_COMPILED: Final = "not -exact and not -fast and not differs_from_the_reference"


class Noting:
    """A plugin of pytest that notes each test once it is over."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._table = notes.table("Tests that did not pass:", ["test", "came to", "why"])
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_collectreport(self, report: Any) -> None:
        """Note a file of tests that cannot be imported."""
        if report.failed:
            self.counts["failed"] += 1
            self._table.row(report.nodeid, "cannot be imported", _why(report))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test, or what stands before and after it, unless it went well."""
        if report.when != "call" and report.passed:
            return
        self.counts[report.outcome] += 1
        self._notes.headline(", ".join(f"{count} {outcome}" for outcome, count in self.counts.items()))
        if report.outcome != "passed":
            self._table.row(report.nodeid, report.outcome, _why(report))


def run_tests(scene: Scene, notes: Notes, paths: Sequence[str], wanted: str) -> None:
    """Run tests of this scene's device, of these words; fail where one of them does.

    Raises:
        ValueError: a test failed, or none was found.

    """
    noting, temporary = Noting(notes), mkdtemp()  # hundreds of files, which are no results
    words = f"{scene.device.type} and {wanted}" if wanted else scene.device.type
    # As slow as it is: each test has a time limit of its own, and all of them have the part's.
    arguments = ["-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib", f"--basetemp={temporary}"]
    arguments.append("--continue-on-collection-errors")
    code = pytest.main(
        [*arguments, f"--rootdir={PROJECT}", "-rfE", "-k", words, *(str(PROJECT / path) for path in paths)],
        plugins=[noting],
    )
    rmtree(temporary, ignore_errors=True)
    if code != pytest.ExitCode.OK:
        raise ValueError(f"{noting.counts['failed']} tests failed (pytest says {code}); see the table and the log")


def _why(report: Any) -> str:
    if isinstance(report.longrepr, tuple):  # where, on which line, and why it was skipped
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(getattr(crash, "message", None) or report.longrepr).strip()
    return (said.splitlines() or ["?"])[0][:300]
