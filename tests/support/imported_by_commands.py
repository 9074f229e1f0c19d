"""What commands of the tests find imported, of libraries and of the project: see `tests.support.forked`."""

import gc
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages

import producer

#: Celery imports it for a command of its own, whose arguments it reads.
_NOT = "producer.commands.celery_app"

#: What needs a package that is no part of the base install, as on a machine with a GPU that was lent for an hour.
_OPTIONAL = {"producer.rows.parquet": "pyarrow", "producer.collecting.table": "pyarrow"}

for module in walk_packages(producer.__path__, "producer."):
    needed = _OPTIONAL.get(module.name)
    if module.name != _NOT and (needed is None or find_spec(needed)):
        import_module(module.name)

# As in tests.support.imported_by_workers.
gc.freeze()
