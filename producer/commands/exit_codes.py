"""The exit codes of a command, beside click's own: 0 (all is well), 1 (anything else) and 2 (wrong usage)."""

from typing import Final

#: Finished, and some rows are bad.
SOME_FAILED: Final = 3

#: Some rows have no answer yet.
SOME_UNANSWERED: Final = 4
