"""The parameters of the Python interface."""

from pathlib import Path

import pytest

from producer.commands.submit import submit_command
from producer.interface.parameters import Parameters, settings_of
from worker.contract.errors import SettingsError


def test_they_are_those_of_the_command_line() -> None:
    """Each option that decides how rows are edited has a parameter of its name, and each such one an option."""
    options = {
        name.removeprefix("--").replace("-", "_")
        for option in submit_command.params
        for name in option.opts
        if name.startswith("--")
    }
    own = {"broker", "run_dir", "detach", "redo", "max_failed", "quiet", "q", "dry_run", "json", "json_logs"}
    of_workers = {"batch_size", "hf_cache_dir", "hf_local_dir"}
    assert Parameters.__annotations__.keys() == (options - own) | of_workers


def test_they_become_settings() -> None:
    """By the option's name or the setting's own; a LoRA may be one alone."""
    settings = settings_of({"model": "demo", "steps": 3, "format": "webp"}, run_dir=Path("r"), broker_url=None)
    assert (settings.diffuser_model_name, settings.steps, settings.image_format) == ("demo", 3, "webp")


def test_one_that_is_none_is_named_with_what_is_close() -> None:
    """So that a slip is seen."""
    with pytest.raises(SettingsError, match=r"^There is no parameter guidence; did you mean guidance\?$"):
        settings_of({"guidence": 2}, run_dir=None, broker_url=None)


def test_a_wrong_value_is_said_by_the_parameter_s_name() -> None:
    """Beside its variable, which may also be what is wrong."""
    with pytest.raises(SettingsError, match=r"^quality / FLEET_QUALITY: "):
        settings_of({"model": "demo", "quality": 101}, run_dir=None, broker_url=None)
