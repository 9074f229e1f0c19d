"""Every error that a user can meet, one sentence each.

::

    FleetError
    ├── SettingsError   a FLEET_* variable or an option is wrong: nothing was started
    ├── ModelError      the model cannot be loaded: the worker ends before it takes a row
    ├── ContractError   a message that this version does not understand
    ├── RowError        this row cannot be edited; every other row can
    └── RunError        the run folder, its input or the broker stands in the way of the whole run
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


class RunError(FleetError):
    """A run cannot go on."""
