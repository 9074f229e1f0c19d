"""Whether the LoRAs of a run are where it says, before a million rows fail of a slip."""

from pathlib import Path

from worker.contract.errors import SettingsError
from worker.contract.lora import lora_of
from worker.settings.fleet import Settings


def require_loras(settings: Settings) -> None:
    """Make sure that those with a path are there; what is in them, and the hub's, is the workers' to find out.

    Raises:
        SettingsError: one is not.

    """
    for lora in map(lora_of, settings.lora or ()):
        if lora.is_path and not Path(lora.name).exists():
            raise SettingsError(f"FLEET_LORA: there is no {lora.name}; producer and workers must see it at this path.")
