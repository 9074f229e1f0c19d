"""The options of a run that decide what its rows' pictures are, and how they have changed since its last command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from producer.run.ledger import Ledger
from producer.run.manifest import AS_EVER
from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings, load_settings

#: By the option's name on the command line. Of what is said of a row (`--output-error-key`, …) no picture depends.
_DECISIVE: Final[dict[str, Callable[[Settings], Any]]] = {
    "--task": lambda settings: settings.image_gen_task,
    "--model": lambda settings: settings.model,
    "--input-image-key": lambda settings: settings.input_image_key,
    "--input-conversation-key": lambda settings: settings.input_conversation_key,
    "--input-edit-key": lambda settings: settings.edit_key,
    "--output-image-key": lambda settings: settings.output_image_key,
    "--profile": lambda settings: settings.demand_profile,
    "--multi-image": lambda settings: settings.multi_image,
    "--turns": lambda settings: settings.turns,
    "--steps": lambda settings: settings.steps,
    "--guidance": lambda settings: settings.guidance,
    "--lora": lambda settings: ", ".join(settings.lora or ()) or None,
    "--seed": lambda settings: settings.seed,
    "--num-images": lambda settings: settings.num_images,
    "--size": lambda settings: settings.model_size,
    "--keep-markup": lambda settings: settings.keep_markup,
    "--format": lambda settings: settings.image_format,
    # PNG has none.
    "--quality": lambda settings: None if settings.image_format == "png" else settings.quality,
    "--metadata": lambda settings: settings.metadata,
}


def earlier_settings(ledger: Ledger) -> Settings | None:
    """Return the settings of a run's last command; None where there was none, or one of another version."""
    given = ledger.get("settings")
    try:
        return None if given is None else load_settings({**AS_EVER, **json.loads(given)})
    except SettingsError:
        return None


def earlier_base(ledger: Ledger, base: Path) -> Path:
    """Return where relative paths of images began at a run's last command; `base` where there was none."""
    return Path(ledger.get("base") or base)


def differences(earlier: Settings, settings: Settings, *bases: Path) -> tuple[str, ...]:
    """Say which decisive options differ, and how, such as "--seed was 0, is 7".

    `bases`: where relative paths of images began earlier, and begin now, however that came.
    """
    values: dict[str, tuple[Any, Any]] = {
        option: (value(earlier), value(settings)) for option, value in _DECISIVE.items()
    }
    if bases:
        values["--images-from"] = (str(bases[0]), str(bases[1]))
    return tuple(f"{option} was {_shown(was)}, is {_shown(now)}" for option, (was, now) in values.items() if was != now)


def _shown(value: object) -> str:
    return {True: "on", False: "off", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
