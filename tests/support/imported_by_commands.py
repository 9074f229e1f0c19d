"""What commands of the tests find imported, of libraries and of the project: see `tests.support.forked`."""

import gc
from importlib import import_module
from pkgutil import walk_packages

import producer

#: Celery imports it for a command of its own, whose arguments it reads.
_NOT = "producer.commands.celery_app"

for module in walk_packages(producer.__path__, "producer."):
    if module.name != _NOT:
        import_module(module.name)

# As in tests.support.imported_by_workers.
gc.freeze()
