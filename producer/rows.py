"""A line of the input jsonl becomes a request, or the exact reason why not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.fields import image_paths, instruction, kind_of
from producer.jsontext import RepeatedKey, decode
from producer.lines import Line
from producer.overrides import Overrides, overrides
from worker.contract import EditRequest, fingerprint, row_seed
from worker.errors import RowError
from worker.parameters import rounded_size
from worker.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line and what is to be done about it: exactly one of a request, an error, or nothing (`kept`)."""

    line: Line
    #: The line's object; None if it is none.
    fields: dict[str, Any] | None = None
    request: EditRequest | None = None
    error: str | None = None
    #: Images that the row names and nobody edits.
    unused_images: int = 0
    #: The size that the row itself names, where the model takes only another.
    rounded_from: str | None = None

    @property
    def kept(self) -> bool:
        """Whether the row came with its output and is left alone."""
        return self.request is None and self.error is None


class RowParser:
    """Turns lines into rows, for one run."""

    def __init__(self, settings: Settings, *, run: str, base: Path, run_dir: Path) -> None:
        """Paths of images begin in the folder `base`."""
        self._settings = settings
        self._model = settings.model  # once: it looks whether the name is a folder
        self._run = run
        # Absolute, so that a worker with another working directory finds them.
        self._base = str(base.absolute())
        self._output_dir = str(run_dir.absolute())

    def parse(self, line: Line) -> Row:
        """Never raises: a line that cannot be edited becomes a row with an error."""
        fields = None
        try:
            fields = _fields(line)
            if _has_output(fields.get(self._settings.output_image_key)):
                return Row(line=line, fields=fields)
            return self._row(line, fields)
        except RowError as error:
            return Row(line=line, fields=fields, error=f"line {line.number}: {error}")
        # What nobody has thought of is still one row's fault, and not the end of ten million others.
        except Exception as error:
            return Row(line=line, fields=fields, error=f"line {line.number}: {type(error).__name__}: {error}.")

    def _row(self, line: Line, fields: dict[str, Any]) -> Row:
        settings = self._settings
        every = settings.multi_image == "stitch"
        images, unused = image_paths(fields, settings.input_image_key, base=self._base, every=every)
        prompt = instruction(fields, settings.input_conversation_key)
        own = overrides(fields, settings.input_edit_key)
        decisive = {"images": tuple(images), "prompt": prompt, **self._parameters(own, line.row)}
        request = EditRequest(
            run=self._run,
            row=line.row,
            fingerprint=fingerprint(**decisive),
            output_dir=self._output_dir,
            **decisive,
        )
        return Row(
            line=line,
            fields=fields,
            request=request,
            unused_images=unused,
            rounded_from=own.size if own.size not in {None, request.size} else None,
        )

    def _parameters(self, own: Overrides, row: int) -> dict[str, Any]:
        """Return a row's parameters: its own where it names them, else the run's."""
        settings = self._settings
        return {
            "negative_prompt": own.negative_prompt,
            "true_cfg_scale": _either(own.true_cfg_scale, 1.0),
            "model": self._model,
            "steps": _either(own.steps, settings.steps),
            "guidance": float(_either(own.guidance, settings.guidance)),
            "num_images": _either(own.num_images, settings.num_images),
            "seed": _either(own.seed, row_seed(settings.seed, row)),
            "size": rounded_size(_either(own.size, settings.size), settings.spec.multiple),
            "image_format": settings.image_format,
            "quality": settings.quality,
            "metadata": settings.metadata,
        }


def _either(own: Any, default: Any) -> Any:
    return default if own is None else own


def _fields(line: Line) -> dict[str, Any]:
    if not line.is_utf8:
        raise RowError("is no UTF-8 text.")
    try:
        fields = decode(line.text)
    except RepeatedKey as error:
        raise RowError(f"holds the key {error} twice, and which of them counts is anybody's guess.") from None
    except (ValueError, RecursionError) as error:
        raise RowError(f"is no JSON ({error}).") from None
    if not isinstance(fields, dict):
        raise RowError(f"expected a JSON object, found {kind_of(fields)}.")
    return fields


def _has_output(value: Any) -> bool:
    return any(value) if isinstance(value, list) else bool(value)
