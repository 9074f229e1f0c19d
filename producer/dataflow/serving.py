"""The serving that DataFlow's operators call, in the place of its own `LocalImageGenServing`."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from producer.dataflow.arguments import Arguments, settings_in_its_names
from producer.dataflow.asked import COLUMNS, asked_for
from producer.dataflow.folders import run_folder
from producer.dataflow.ready import require_ready
from producer.interface.fleet import Fleet
from producer.interface.parameters import Parameters, settings_of
from producer.interface.results import Result


@dataclass(frozen=True, kw_only=True)
class Edited:
    """What became of a row."""

    #: Its pictures, below `save_path` as that was named, or URLs where its run was begun with them; none if failed.
    paths: list[str]
    error: str | None
    warnings: list[str]


class LocalImageGenServing:
    """Edits images, or makes them, with workers on this machine, or those of a fleet (FLEET_BROKER_URL).

    The first rows start the workers, which keep their model until `cleanup`, or the end of the process. The run folder
    is `save_path`: what is finished there is not made again, whichever process has made it.
    """

    def __init__(  # noqa: PLR0917 - as DataFlow has it
        self,
        image_io: Any,
        hf_model_name_or_path: str | list[str] | None = None,
        hf_cache_dir: str | os.PathLike[str] | None = None,
        hf_local_dir: str | os.PathLike[str] | None = "./ckpt/models/",
        Image_gen_task: str = "text2image",  # noqa: N803 - as DataFlow has it
        batch_size: int = 4,
        diffuser_model_name: str = "FLUX",
        diffuser_image_height: int | None = None,
        diffuser_image_width: int | None = None,
        diffuser_num_inference_steps: int | None = None,
        diffuser_guidance_scale: float | None = None,
        diffuser_num_images_per_prompt: int = 1,
    ) -> None:
        """Take DataFlow's own arguments (docs/dataflow.md), and find out whether rows could be edited.

        `image_io` has a `save_path`, the folder of the pictures; nothing else of it is used. None stands for what
        DataFlow takes: 1024 x 1024 px, and of its own two models 50 steps and guidance 2.5.

        Raises:
            SettingsError: an argument is wrong, or the weights are not to be had.
            RunError: the broker cannot be worked with, or what workers here need is not installed.

        """
        given = Arguments(
            image_io=image_io,
            hf_model_name_or_path=hf_model_name_or_path,
            hf_cache_dir=hf_cache_dir,
            hf_local_dir=hf_local_dir,
            task=Image_gen_task,
            batch_size=batch_size,
            model=diffuser_model_name,
            height=diffuser_image_height,
            width=diffuser_image_width,
            steps=diffuser_num_inference_steps,
            guidance=diffuser_guidance_scale,
            num_images=diffuser_num_images_per_prompt,
        )
        self.image_io = image_io
        self._task = Image_gen_task
        self._parameters = given.parameters()
        settings = settings_in_its_names(self._parameters)
        #: The column of a row's own parameters; None where another column has its name.
        self.edit_column = settings.edit_key
        #: The folder of the pictures, as it was named.
        self.save_path = given.save_path()
        self._workers = None if settings.broker_url is not None else given.workers()
        self._fleet: Fleet | None = None
        require_ready(settings, _say)

    def load_model(self) -> None:
        """Be ready to start workers, which load the model themselves; `generate_from_input` calls this."""
        if self._fleet is None:
            self._fleet = Fleet(workers=self._workers, progress="rich", say=_say, **self._parameters)

    def generate_from_input(self, user_inputs: Sequence[Any]) -> dict[str, list[str]]:
        """Edit what DataFlow's operator hands over, and return the paths of the pictures by its keys.

        `user_inputs`: {idx, image_path, prompt[, conversations]}, whose key is `sample_<idx>`; or (image, prompt), with
        the prompt for its key. Of text2image {text_prompt, sample_id}, or a text, which is its own key. What failed has
        an empty list, and is tried again by the next call; the sentences at the end say why.

        Raises:
            RowsError: an item is none of these.
            RunError: the run could not go on. Nothing is lost, and the same call goes on.

        """
        asked = asked_for(user_inputs, self._task)
        edited = self.edit([one.row for one in asked], [one.number for one in asked], **COLUMNS)
        return {one.key: edited[one.number].paths for one in asked}

    def generate_from_input_one_batch(self, user_inputs: Sequence[Any]) -> dict[str, list[str]]:
        """Do the same: operators that make batches of their own call this, and workers make theirs all the same."""
        return self.generate_from_input(user_inputs)

    def edit(
        self, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int], **parameters: Unpack[Parameters]
    ) -> dict[int, Edited]:
        """Edit rows that may have parameters of their own, and return what became of each, by its number.

        Raises:
            SettingsError, RowsError, RunError: as `Fleet.edit`.

        """
        if not rows:
            return {}
        self.load_model()
        asked = Parameters(**{**self._parameters, **parameters})
        settings = settings_of(asked, run_dir=None, broker_url=None)
        folder = run_folder(self.save_path, [*zip(numbers, rows, strict=True)], settings)
        if folder != self.save_path:
            _say(f"Pictures go to {folder}: {self.save_path} has others of these rows.")
        # `redo`: these rows are wanted as they are now; what an earlier call was given stays where it is.
        with self._open_fleet.edit(rows, run_dir=folder, numbers=numbers, redo=True, **asked) as run:
            found = {result.row: _edited(result, folder) for result in run}
            for sentence in run.wait().sentences:
                _say(sentence)
        return found

    def cleanup(self) -> None:
        """Stop the workers, which frees the GPUs; the next call starts them again."""
        if self._fleet is not None:
            self._fleet.close()
            self._fleet = None

    @property
    def _open_fleet(self) -> Fleet:
        if self._fleet is None:
            raise RuntimeError("not loaded")
        return self._fleet


def _edited(result: Result, folder: str) -> Edited:
    return Edited(paths=[*result.urls, *_named(result.paths, folder)], error=result.error, warnings=[*result.warnings])


def _named(paths: Iterable[Path], folder: str) -> Iterable[str]:
    """Name pictures as DataFlow does: below the folder, as that was named."""
    whole = Path(folder).absolute()
    return (os.path.join(folder, path.relative_to(whole)) for path in paths)  # noqa: PTH118 - which drops "./"


def _say(sentence: str) -> None:
    # Where DataFlow's own log goes, too. A bar that is shown meanwhile looks after it.
    sys.stderr.write(f"{sentence}\n")
