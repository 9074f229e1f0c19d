"""A request in two parts: what its run's rows share crosses the network once, and a row's message has the rest."""

from operator import attrgetter
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError

from worker.contract.errors import ContractError, one_line
from worker.contract.fingerprint import digest
from worker.contract.inline_images import is_inline
from worker.contract.messages import EditRequest, Message, Parameters, first_problem
from worker.contract.parameters import Prompt, Seed
from worker.contract.urls import REMOTE

#: Digits that tell the shared parts of one run apart: there is one per set of options with which it was submitted.
_DIGITS: Final = 16


class SharedPart(Parameters):
    """What a run's rows share."""

    #: Folder, absolute, in which the relative paths of rows' images begin.
    base: Annotated[str, Field(pattern=r"^/")]

    def encode(self) -> str:
        """Return it as JSON text."""
        return self.model_dump_json()

    @property
    def digest(self) -> str:
        """What rows call it by: rows that were sent with other options never meet the wrong one."""
        return digest(self.encode())[:_DIGITS]

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read it.

        Raises:
            ContractError: it is none of this version.

        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise _unread(cls.__name__, error) from None


class OwnPart(Message):
    """What a row's message holds."""

    #: Digest of the shared part to which it belongs.
    shared: str = Field(pattern=rf"^[0-9a-f]{{{_DIGITS}}}$")
    #: Absolute, from the shared part's `base` on, a URL or a `data:` URI; none of text2image.
    images: tuple[str, ...] = Field(strict=False)  # JSON has lists
    prompt: Prompt
    #: Only where it has several turns.
    earlier_prompts: tuple[Prompt, ...] = Field((), strict=False)
    seed: Seed
    #: Parameters in which the row differs from the shared part.
    own: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def read(cls, found: object) -> Self:
        """Read the only argument of a row's task.

        Raises:
            ContractError: it is none of this version.

        """
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            raise _unread("EditRequest", error) from None

    def joined(self, shared: SharedPart) -> EditRequest:
        """Return the whole request.

        Raises:
            ContractError: the two make none.

        """
        fields = {**dict(zip(_SHARED, _values(shared), strict=True)), **self.own}
        folder = _folder(shared.base)
        images = tuple(image if image.startswith(WHOLE) else folder + image for image in self.images)
        try:
            return EditRequest(
                run=self.run,
                row=self.row,
                fingerprint=self.fingerprint,
                images=images,
                prompt=self.prompt,
                earlier_prompts=self.earlier_prompts,
                seed=self.seed,
                **fields,
            )
        except (ValidationError, TypeError) as error:  # TypeError: a field that is not a parameter, named as one
            raise _unread("EditRequest", error) from None


_SHARED: Final = tuple(Parameters.model_fields)
_values: Final = attrgetter(*_SHARED)

#: How images begin that are not relative to the base.
WHOLE: Final = ("/", "data:", *REMOTE)


class Splitter:
    """Takes requests of one run apart; made once, since a run has millions of rows."""

    def __init__(self, shared: SharedPart) -> None:
        self._digest = shared.digest
        self._common = _values(shared)
        self._folder = _folder(shared.base)

    def own(self, request: EditRequest) -> dict[str, Any]:
        """Return what a request's message holds: an `OwnPart`, for JSON."""
        part = {
            "v": request.v,
            "run": request.run,
            "row": request.row,
            "fingerprint": request.fingerprint,
            "shared": self._digest,
            "images": [self._image(image) for image in request.images],
            "prompt": request.prompt,
            "seed": request.seed,
        }
        if request.earlier_prompts:
            part["earlier_prompts"] = [*request.earlier_prompts]
        if (values := _values(request)) == self._common:
            return part
        own = {
            name: value for name, value, common in zip(_SHARED, values, self._common, strict=True) if value != common
        }
        return {**part, "own": own}

    def _image(self, image: str) -> str:
        rest = image.removeprefix(self._folder)
        return image if is_inline(image) or not rest or rest.startswith(WHOLE) else rest


def _folder(base: str) -> str:
    return base if base.endswith("/") else f"{base}/"


def _unread(what: str, error: ValidationError | TypeError) -> ContractError:
    problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
    return ContractError(one_line(f"{what} does not decode: {problem}."))
