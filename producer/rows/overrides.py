"""A row's own parameters: the object in its column `edit`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from producer.rows.fields import Warn, kind_of, read_text, require_text
from worker.contract.errors import RowError
from worker.contract.lora import Loras
from worker.contract.messages import first_problem
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import Guidance, NumImages, Prompt, Seed, Size, Steps, TrueCfgScale
from worker.contract.row_warnings import RowWarning
from worker.settings.run import DEFAULT_EDIT_KEY


class Overrides(BaseModel):
    """Parameters that a row names for itself; None where the run's own hold."""

    # strict: "28" is no number of steps.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    seed: Seed | None = None
    steps: Steps | None = None
    guidance: Guidance | None = None
    num_images: NumImages | None = None
    size: Size | None = None
    negative_prompt: Prompt | None = None
    true_cfg_scale: TrueCfgScale | None = None
    #: Instead of the run's; empty for the model as it is.
    lora: Loras | None = None


#: Of a row that names none.
NONE = Overrides()


def _whole(value: Any) -> Any:
    """Return 28 for 28.0: tables with optional columns write whole numbers so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def overrides(fields: dict[str, Any], key: str | None, *, warn: Warn) -> Overrides:
    """Return a row's own parameters. null counts as not named, as tables with optional columns have it.

    Data sets have columns called "edit" of their own, with an instruction, say: under this name, the default, what is
    no object counts for nothing.

    Raises:
        RowError: one is unknown or out of range; names it.

    """
    if key is None or (given := read_text(fields.get(key), warn)) is None:
        return NONE
    if not isinstance(given, dict):
        if key == DEFAULT_EDIT_KEY:
            warn(RowWarning.EDIT_IGNORED)
            return NONE
        raise RowError(f"{key}: expected an object of parameters, found {kind_of(given)}.")
    for name in given:
        if name not in Overrides.model_fields:
            there_are = ", ".join(Overrides.model_fields)
            raise RowError(f"{key}.{require_text(name, key)[:80]}: unknown parameter; there are {there_are}.")
    try:
        found = Overrides.model_validate({name: _whole(value) for name, value in given.items()})
    except ValidationError as error:
        problem = first_problem(error)
        raise RowError(f"{key}.{problem}." if error.errors()[0]["loc"] else f"{key}: {problem}.") from None
    require_text(found.negative_prompt or "", f"{key}.negative_prompt")
    require_text("".join(found.lora or ()), f"{key}.lora")
    return found


def require_heeded(own: Overrides, spec: ModelSpec, key: str | None, *, guidance: float) -> None:
    """Refuse what the model would not heed: a user who named it wanted an effect. `guidance`: the run's.

    Raises:
        RowError: names the parameter.

    """
    if spec.guided == "true CFG":
        _require_one_strength(own, guidance, spec, key)
        return
    if spec.guided == "embedded":
        _require_both(own, key)
        return
    if own.guidance not in {None, spec.guidance}:
        raise RowError(f"{key}.guidance: {spec.name} is distilled and takes no guidance; leave it out.")
    if own.negative_prompt is not None:
        raise RowError(f"{key}.negative_prompt: {spec.name} is distilled and takes no negative prompt; leave it out.")
    _require_both(own, key)


def _require_both(own: Overrides, key: str | None) -> None:
    """Refuse a negative prompt or a strength of true CFG without the other, which the pipeline ignores."""
    if own.negative_prompt is not None and (own.true_cfg_scale or 1) <= 1:
        raise RowError(f"{key}: negative_prompt has no effect without a true_cfg_scale above 1.")
    if own.negative_prompt is None and (own.true_cfg_scale or 1) > 1:
        raise RowError(f"{key}: true_cfg_scale has no effect without a negative_prompt, which may be empty.")


def _require_one_strength(own: Overrides, guidance: float, spec: ModelSpec, key: str | None) -> None:
    """Of a model whose guidance is true CFG either number is its strength, the run's guidance where there is none."""
    if own.true_cfg_scale is not None and own.guidance is not None:
        raise RowError(f"{key}.true_cfg_scale: of {spec.name} it is what guidance is, too; name one of them.")
    if own.true_cfg_scale is not None and own.true_cfg_scale <= 1:
        raise RowError(f"{key}.true_cfg_scale: {own.true_cfg_scale:g} is none; for no guidance name guidance: 1.")
    strength = next(one for one in (own.true_cfg_scale, own.guidance, guidance) if one is not None)
    if own.negative_prompt is not None and strength <= 1:
        raise RowError(
            f"{key}.negative_prompt: at a guidance of {strength:g} it has no effect; name a guidance above 1, or leave"
            " it out."
        )
