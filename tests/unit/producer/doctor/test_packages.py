"""What the doctor makes of the packages that are installed, read from metadata alone."""

from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from producer.doctor.finding import Role, Verdict
from producer.doctor.packages import look_at_packages, packages_found

CLICK = version("click")


@pytest.mark.parametrize(
    ("asked", "extras", "problem"),
    [
        (["click>=1"], [], None),
        (["click>=1", "no-such-package>=2"], [], "not installed: no-such-package"),
        (["click>=999"], [], f"click {CLICK} (needs >=999)"),
        (["click>=999", "no-a", "no-b"], [], f"click {CLICK} (needs >=999), not installed: no-a, no-b"),
        (["no-such-package; extra == 'worker'"], [], None),
        (["no-such-package; extra == 'worker'"], ["worker"], "not installed: no-such-package"),
        (["no-such-package; python_version < '3'"], ["worker"], None),
    ],
)
def test_what_is_missing_or_too_old_is_named(asked: list[str], extras: list[str], problem: str | None) -> None:
    """Of the base install, and of the extras that the machine needs, and of no other."""
    finding = packages_found(map(Requirement, asked), extras)
    if problem is None:
        assert finding.verdict is Verdict.OK
    else:
        assert (finding.verdict, finding.found) == (Verdict.BROKEN, problem)
        assert finding.remedy is not None
        assert finding.remedy.startswith(f"pip install -c constraints.txt '.{'[worker]' if extras else ''}'")


@pytest.mark.parametrize("role", Role)
def test_the_machine_of_the_tests_has_what_it_needs(role: Role) -> None:
    """Whatever it is looked at for."""
    assert Verdict.BROKEN not in {finding.verdict for finding in look_at_packages(role)}
