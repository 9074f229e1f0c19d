"""A line of the input jsonl becomes a request, or the exact reason why not."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from producer.rows.fields import Warn
from producer.rows.images import image_sources
from producer.rows.instructions import instructions, require_room
from producer.rows.line_object import fields_of
from producer.rows.lines import Line
from producer.rows.outputs import has_output
from producer.rows.overrides import NONE, Overrides, overrides, require_heeded
from producer.rows.without_image import require_no_image, require_size_by_number
from worker.contract.errors import RowError, one_line
from worker.contract.fingerprint import fingerprint
from worker.contract.inline_images import is_inline
from worker.contract.layout import is_in_row_folder
from worker.contract.lora import based
from worker.contract.messages import EditRequest
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import exact_size, rounded_size
from worker.contract.row_warnings import RowWarning, in_order
from worker.contract.seeds import row_seed
from worker.contract.sharing import SharedPart
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)

#: Parameters that are part of a row's fingerprint only where they are others: rows of runs without them are the same.
_AS_EVER: Final[dict[str, Any]] = {"profile": None, "references": False, "lora": (), "task": "imageedit"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line and what is to be done about it: exactly one of a request, an error, or nothing (`kept`)."""

    line: Line
    #: The line's object; None if it is none.
    fields: dict[str, Any] | None = None
    request: EditRequest | None = None
    error: str | None = None
    #: What the row itself gives cause to say.
    warnings: tuple[RowWarning, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the row came with its output and is left alone."""
        return self.request is None and self.error is None


class RowParser:
    """Turns lines into rows, for one run."""

    def __init__(
        self,
        settings: Settings,
        *,
        run: str,
        base: Path,
        run_dir: Path,
        seed_of: Callable[[int], int | None] = lambda _: None,
    ) -> None:
        """Paths of images begin in the folder `base`; `seed_of` returns the seed that a row was given since, if any."""
        self._settings = settings
        self._seed_of = seed_of
        self._model = settings.model  # once: it looks whether the name is a folder
        self._run = run
        # Absolute, so that a worker with another working directory finds them.
        self._base = str(base.absolute())
        self._run_dir = run_dir.absolute()
        self._output_dir = settings.pictures or str(self._run_dir)
        self._own = (self._output_dir if settings.pictures else os.path.normpath(self._output_dir)) + "/"

    def under(self, settings: Settings, base: Path) -> "RowParser":
        """Return what parses the same run's lines as other settings have it, with paths that begin in `base`."""
        return RowParser(settings, run=self._run, base=base, run_dir=self._run_dir, seed_of=self._seed_of)

    @property
    def base(self) -> Path:
        """Where relative paths of images begin."""
        return Path(self._base)

    @property
    def spec(self) -> ModelSpec:
        """The model that edits the rows."""
        return self._settings.spec

    @property
    def shared(self) -> SharedPart:
        """What rows without parameters of their own have in common."""
        return SharedPart(base=self._base, **self._undecisive(), **{**_AS_EVER, **self._defaults})

    def parse(self, line: Line) -> Row:
        """Never raises: a line that cannot be edited becomes a row with an error."""
        fields = None
        try:
            fields = fields_of(line)
            if has_output(fields.get(self._settings.output_image_key)):
                return Row(line=line, fields=fields, warnings=(RowWarning.KEPT,))
            return self._row(line, fields)
        except RowError as error:
            return Row(line=line, fields=fields, error=one_line(f"line {line.number}: {error}"))
        except MemoryError:
            raise
        # What nobody has thought of is still one row's fault, and not the end of ten million others.
        except Exception as error:
            logger.exception("line %d", line.number)
            return Row(
                line=line, fields=fields, error=one_line(f"line {line.number}: {type(error).__name__}: {error}.")
            )

    def _row(self, line: Line, fields: dict[str, Any]) -> Row:
        settings = self._settings
        warnings: set[RowWarning] = set()
        images = self._images(fields, warnings.add)
        *earlier, prompt = instructions(
            fields,
            settings.input_conversation_key,
            turns=settings.turns,
            warn=warnings.add,
            keep_markup=settings.keep_markup,
        )
        own = overrides(fields, settings.edit_key, warn=warnings.add)
        require_heeded(own, settings.spec, settings.edit_key, guidance=settings.guidance)
        if not images:
            require_size_by_number(own, settings.edit_key)
        decisive = {"images": tuple(images), "prompt": prompt, **self._parameters(own, line.row)}
        if earlier:  # a row of one turn is the same whichever turns count
            decisive["earlier_prompts"] = tuple(earlier)
            require_room(1 + len(earlier), decisive["num_images"], settings.input_conversation_key)
        if own.size is not None and exact_size(own.size) != exact_size(decisive["size"]):
            warnings.add(RowWarning.SIZE_ROUNDED)
        told = dict(decisive)
        if len(images) <= 1:
            told.pop("references", None)  # it has none, and is the same row as without the option
        request = EditRequest(
            run=self._run,
            row=line.row,
            fingerprint=fingerprint(**told),
            **self._undecisive(),
            **{**_AS_EVER, **decisive},
        )
        return Row(line=line, fields=fields, request=request, warnings=in_order(warnings))

    def _images(self, fields: dict[str, Any], warn: Warn) -> list[str]:
        settings, key = self._settings, self._settings.input_image_key
        if settings.image_gen_task == "text2image":
            require_no_image(fields, key)
            return []
        every, hosts = settings.multi_image != "first", settings.allow_urls or ()
        images = image_sources(fields, key, base=self._base, every=every, hosts=hosts, warn=warn)
        if any(self._is_own(image) for image in images if not is_inline(image)):
            # Its own pictures would take the place of what it is made from.
            raise RowError(f"{key}: lies among the images of this very run; name another run folder.")
        if settings.multi_image == "references" and len(images) > (most := settings.spec.references):
            raise RowError(f"{key}: {len(images)} images are more than the {most} that {settings.spec.name} takes.")
        return images

    def _is_own(self, image: str) -> bool:
        path = os.path.normpath(image) if image.startswith("/") else image
        return path.startswith(self._own) and is_in_row_folder(path.removeprefix(self._own))

    def _parameters(self, own: Overrides, row: int) -> dict[str, Any]:
        seed = _either(self._seed_of(row), _either(own.seed, row_seed(self._settings.seed, row)))
        return {**(self._defaults if own is NONE else self._common(own)), "seed": seed}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return self._common(NONE)

    def _undecisive(self) -> dict[str, Any]:
        """Return what is said to workers and decides no picture."""
        settings = self._settings
        return {
            "output_dir": self._output_dir,
            "shard_folders": settings.shard_folders,
            "long_instruction": settings.long_instruction,
        }

    def _common(self, own: Overrides) -> dict[str, Any]:
        """Return a row's parameters: its own where it names them, else the run's."""
        settings = self._settings
        return {
            "negative_prompt": own.negative_prompt,
            "true_cfg_scale": _either(own.true_cfg_scale, 1.0),
            **self._lora(own),
            "model": self._model,
            "steps": _either(own.steps, settings.steps),
            "guidance": float(_either(own.guidance, settings.guidance)),
            "num_images": _either(own.num_images, settings.num_images),
            "size": rounded_size(_either(own.size, settings.output_size), settings.spec.multiple),
            "image_format": settings.image_format,
            # PNG has none; a finished row is not to be edited again for it.
            "quality": 100 if settings.image_format == "png" else settings.quality,
            "metadata": settings.metadata,
            **({} if settings.demand_profile is None else {"profile": settings.demand_profile}),
            **({"references": True} if settings.multi_image == "references" else {}),
            **({} if settings.image_gen_task == "imageedit" else {"task": settings.image_gen_task}),
        }

    def _lora(self, own: Overrides) -> dict[str, tuple[str, ...]]:
        """Return the LoRAs of a row, whose own paths begin where those of its images do; of one without, nothing."""
        try:
            loras = (self._settings.lora or ()) if own.lora is None else based(own.lora, self._base)
        except ValueError as error:
            raise RowError(f"{self._settings.edit_key}.lora: {error}.") from None
        return {"lora": loras} if loras else {}


def _either(own: Any, default: Any) -> Any:
    return default if own is None else own
