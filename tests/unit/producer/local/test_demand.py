"""Workers of a run on this machine calculate as it demands."""

import pytest

from producer.local.demand import as_demanded
from worker.contract.errors import SettingsError
from worker.settings.fleet import load_settings


def test_a_demand_is_what_workers_are_started_with() -> None:
    """Whatever the machine's own variable says; without a demand that holds."""
    assert as_demanded(load_settings(profile="reference", demand_profile="fast")).profile == "fast"
    assert as_demanded(load_settings(profile="reference")).profile == "reference"


def test_parts_that_are_set_apart_contradict_it() -> None:
    """No worker would ever take a row."""
    with pytest.raises(SettingsError, match=r"^FLEET_DEMAND_PROFILE: .* calculate as exact \(compiled=False\); unset"):
        as_demanded(load_settings(demand_profile="exact", compile=False))
