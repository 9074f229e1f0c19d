"""Where the project stands."""

import os
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]


def python_path() -> str:
    """Return PYTHONPATH for processes that are to run this checkout, whichever is installed, with what is found now."""
    return os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
