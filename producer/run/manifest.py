"""What a run folder remembers: whose it is, and with which settings its rows were sent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from producer.rows.beginning import begun
from producer.rows.source import KEPT, Source, keep
from producer.run.ledger import LEDGER, Ledger
from worker.contract.broker_url import shown
from worker.contract.errors import RunError, SettingsError
from worker.settings.fleet import Settings, load_settings

#: Owner of a run folder whose input came as a stream.
_STREAM = "standard input"

#: Settings that belong to the run and are remembered in its folder; the broker is not, since it may hold a password.
_REMEMBERED = {
    "shard_folders", "pictures", "image_gen_task",
    "diffuser_model_name", "hf_model_name_or_path", "hf_revision", "input_image_key", "input_conversation_key",
    "input_edit_key", "output_image_key", "output_error_key", "output_warning_key", "diffuser_num_inference_steps",
    "diffuser_guidance_scale", "seed", "num_images", "size", "multi_image", "keep_markup", "long_instruction",
    "image_format", "quality", "metadata", "demand_profile", "details", "output", "output_images", "output_paths",
    "save_interval", "priority", "lora", "turns", "allow_urls",
}  # fmt: skip

#: Those that say where its rows' pictures are.
_PLACED: Final = ("shard_folders", "pictures")

#: What runs were that were begun before there was a choice, whatever the environment says now.
AS_EVER: Final[Mapping[str, Any]] = {
    "shard_folders": None, "pictures": None, "lora": None, "image_gen_task": "imageedit", "output_images": "paths",
    "turns": "last", "allow_urls": None,
}  # fmt: skip


def claim(folder: Path, ledger: Ledger, source: Source) -> Source:
    """Make sure that the folder is this input's; return the input as the run will read it. Changes nothing.

    Raises:
        RunError: it belongs to another.

    """
    owner, bound = _owner(source), ledger.get("input")
    if bound not in {None, owner}:
        raise RunError(f"The run folder {folder} belongs to {bound}; name another with --run-dir.")
    if source.resolved is None:
        if bound is None and (folder / KEPT).exists():
            raise RunError(f"The folder {folder} holds a {KEPT} that is no run's; name another with --run-dir.")
        return replace(source, path=folder.absolute() / KEPT)
    if (named := ledger.get("input_path")) is not None:
        # An input reached by another link is the same.
        return replace(source, path=Path(named))
    return source


def beginning(ledger: Ledger, source: Source, settings: Settings, say: Callable[[str], None]) -> Source:
    """Return an input with the folder in which relative paths of its images begin: the run's, unless another is named.

    Raises:
        RunError: it is in doubt.
        SettingsError: the one that is named is none.

    """
    base = ledger.get("base")
    if base is None or source.resolved is None or settings.images_from is not None:
        return begun(source, settings, say)
    return replace(source, base=Path(base))


def beginning_in(folder: Path, source: Source, settings: Settings, say: Callable[[str], None]) -> Source:
    """Return the same for a run folder that need not be there, or may be another input's.

    Raises:
        RunError: it is in doubt.
        SettingsError: the one that is named is none.

    """
    if not (folder / LEDGER).is_file():
        return begun(source, settings, say)
    with Ledger(folder, read_only=True) as ledger:
        if ledger.get("input") == _owner(source):
            return beginning(ledger, source, settings, say)
    return begun(source, settings, say)


def as_begun(folder: Path, ledger: Ledger, settings: Settings) -> Settings:
    """Return the settings with where the run's pictures are, which stay where they were begun. Changes nothing.

    Raises:
        SettingsError: they name another one.

    """
    if (given := ledger.get("settings")) is None:
        return settings
    begun = {name: json.loads(given).get(name) for name in _PLACED}
    for name, was in begun.items():
        if (now := getattr(settings, name)) not in {None, was}:
            raise SettingsError(
                f"FLEET_{name.upper()} is {now}, but the run in {folder} was begun"
                f" {'without' if was is None else f'with {was}'}, and its rows"
                " stay where they are; leave it out, or name another folder with --run-dir."
            )
    return settings.model_copy(update=begun)


def _owner(source: Source) -> str:
    return _STREAM if source.resolved is None else str(source.resolved)


def remember(folder: Path, ledger: Ledger, source: Source, settings: Settings) -> Source:
    """Note the run's input and settings, and keep a stream's copy in the folder, in the place of an earlier one.

    Returns the input as the run reads it from here on.
    """
    claimed = claim(folder, ledger, source)
    # Before the copy comes, so that a crash in between does not make it nobody's.
    ledger.put("input", _owner(source))
    ledger.put("input_path", str(claimed.path))
    ledger.put("base", str(claimed.base))
    if source.resolved is None:
        keep(source.path, folder)
    # The model's own steps, guidance, size and weights as they are: rows were sent with these, whatever is set later.
    exact: dict[str, float | str] = {
        "diffuser_num_inference_steps": settings.steps,
        "diffuser_guidance_scale": settings.guidance,
        "size": settings.output_size,
    }
    if settings.spec.source == "hub":
        exact["hf_model_name_or_path"] = settings.weights
    ledger.put("settings", settings.model_copy(update=exact).model_dump_json(include=_REMEMBERED))
    # Only `producer run`'s own: a socket without a password, which `status` could not guess.
    own = settings.broker.startswith("redis+socket:") and settings.broker
    ledger.put("broker", own or "")
    return claimed


def remembered(folder: Path, ledger: Ledger, *, broker_url: str | None = None) -> tuple[Source, Settings]:
    """Return a run's input and settings.

    Raises:
        RunError: it was never submitted, or by a version that this one does not understand.

    """
    owner, path, given = ledger.get("input"), ledger.get("input_path"), ledger.get("settings")
    if owner is None or path is None or given is None:
        raise RunError(f"The run folder {folder} was never submitted; run `producer submit` first.")
    broker = broker_url or ledger.get("broker") or None
    base = Path(ledger.get("base") or Path(path).parent)
    source = Source(path=Path(path), base=base, resolved=None if owner == _STREAM else Path(owner))
    return source, _as_remembered(folder, {**AS_EVER, **json.loads(given)}, broker)


def _as_remembered(folder: Path, given: dict[str, Any], broker: str | None) -> Settings:
    """Return settings as a folder has them.

    Raises:
        RunError: a version has written them whose rows this one would take for others.

    """
    try:
        return load_settings(given, broker_url=broker)
    except SettingsError as error:
        load_settings(broker_url=broker)  # raises where the environment is what is wrong
        raise RunError(
            f"The run folder {folder} was written by another version ({str(error).removesuffix('.')});"
            " use that one, or name another folder."
        ) from None


def remember_broker(ledger: Ledger, settings: Settings) -> None:
    """Note to which Redis the run's rows are sent."""
    ledger.put("sent_to", _address(settings))


def is_remembered_broker(ledger: Ledger, settings: Settings) -> bool:
    """Tell whether this is the Redis to which the run's rows were sent."""
    return ledger.get("sent_to") == _address(settings)


def _address(settings: Settings) -> str:
    # Neither a password nor the part behind the "?", where Redis' client would take one, too.
    return shown(settings.broker).partition("?")[0]
