"""The fleet's producer: splits a jsonl into one task per row, and builds the output jsonl from the outcomes.

From Python: `from producer import Fleet` (docs/python.md).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from producer.collecting.progress import Status
    from producer.conducting.summary import Summary
    from producer.interface.asynchronous import AsyncFleet, AsyncRun
    from producer.interface.fleet import Fleet
    from producer.interface.results import Result
    from producer.interface.run import Run
    from worker.contract.errors import (
        FleetError,
        RowsError,
        RunCancelled,
        RunError,
        RunInUse,
        RunStopped,
        SettingsError,
    )

__all__ = [
    "AsyncFleet", "AsyncRun", "Fleet", "FleetError", "Result", "RowsError", "Run", "RunCancelled", "RunError",
    "RunInUse", "RunStopped", "SettingsError", "Status", "Summary",
]  # fmt: skip

#: Imported when first asked for, since commands and workers import this package and need none of it.
_MODULES: Final = {
    "AsyncFleet": "producer.interface.asynchronous",
    "AsyncRun": "producer.interface.asynchronous",
    "Fleet": "producer.interface.fleet",
    "Result": "producer.interface.results",
    "Run": "producer.interface.run",
    "Status": "producer.collecting.progress",
    "Summary": "producer.conducting.summary",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "worker.contract.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
