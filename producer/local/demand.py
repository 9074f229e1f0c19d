"""The workers of a run on this machine calculate as the run demands."""

from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings


def as_demanded(settings: Settings) -> Settings:
    """Return the settings with which workers take the run's rows.

    Raises:
        SettingsError: parts of the profile are set apart, so that none would.

    """
    if (demand := settings.demand_profile) is None:
        return settings
    settings = settings.model_copy(update={"profile": demand})
    # Of a machine with or without a GPU: the profile is named.
    if (own := str(settings.profile_on(gpu=False))) != demand:
        raise SettingsError(
            f"FLEET_DEMAND_PROFILE: workers with these variables calculate as {own}; unset those of its parts."
        )
    return settings
