"""Every error that a user can meet, one sentence each.

::

    FleetError
    ├── SettingsError   a FLEET_* variable or an option is wrong: nothing was started
    ├── ModelError      the model cannot be loaded: the worker ends before it takes a row
    ├── ContractError   a message that this version does not understand
    ├── RowError        this row cannot be edited; every other row can
    │   ├── TransientError   what stands in its way may pass: it is tried again before it is an error
    │   ├── OutOfMemory      the GPU's memory does not hold it
    │   ├── CrashedError     it has ended too many workers
    │   └── Unwanted         nobody waits for it here: no outcome is recorded
    ├── RowsError       rows that were handed over in Python are none, or hold what JSON cannot
    └── RunError        the run folder, its input or the broker stands in the way of the whole run
        ├── RunInUse        another process owns the run folder
        ├── RunCancelled    somebody has cancelled the run
        └── RunStopped      who had the run made has stopped it; the same again goes on

`GivenBack` and its kind `PassedOn` are none of them: no errors, and no user meets them.
"""

#: Most characters of a sentence that quotes from a user's data, which may be anything.
_LONGEST = 600


def one_line(text: object, longest: int = _LONGEST) -> str:
    """Return a text on one line: what cannot be printed is escaped, and the middle of a long one is left out."""
    line = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(text))
    half = longest // 2
    return line if len(line) <= longest else f"{line[:half]}…{line[-half:]}"


class FleetError(Exception):
    """An error whose text is one sentence for the user: what is wrong, where, and what to do."""


class SettingsError(FleetError):
    """A setting is missing, out of range or contradicts another."""


class ModelError(FleetError):
    """The model cannot be loaded or cannot run on this machine."""


class ContractError(FleetError):
    """A message does not decode, or was written by another version of the contract."""


class RowError(FleetError):
    """One row cannot be edited, and sending it again would not help."""


class TransientError(RowError):
    """A row cannot be edited now; the same again may succeed."""


class OutOfMemory(RowError):  # noqa: N818 - as torch and the operating system call it
    """A call of the model needed more memory than the GPU has."""

    def __init__(self, bucket: object, images: int, memory: str = "") -> None:
        super().__init__(
            f"the GPU has no memory for {images} image{'s' * (images > 1)} at {bucket}{memory};"
            " edit it at a smaller --size, or on a larger GPU."
        )
        #: Images that the call was to make, and what was said of the memory.
        self.images = images
        self.memory = memory


class CrashedError(RowError):
    """A row has ended as many workers, while it worked alone, as it may."""


class Unwanted(RowError):  # noqa: N818 - like GivenBack no fault, but news
    """The row was submitted in a newer form, its run was cancelled, or another worker has it."""


class GivenBack(Exception):  # noqa: N818 - no error: the row goes back to the queue, for another worker
    """The worker is shutting down and this row is not done."""


class PassedOn(GivenBack):
    """Another worker has nothing to do, and here this row has not begun."""


class RowsError(FleetError):
    """Rows that Python holds cannot be written as an input."""


class RunError(FleetError):
    """A run cannot go on."""


class RunInUse(RunError):  # noqa: N818 - what is so, and passes
    """Another process, or another run of this one, owns the run folder."""


class RunCancelled(RunError):  # noqa: N818 - like Unwanted: news
    """Somebody has cancelled the run; it can be taken up again."""


class RunStopped(RunError):  # noqa: N818 - like Unwanted: news
    """Who had the run made has stopped it; nothing is lost, and the same again goes on."""
