"""`python -P -m worker …`: Celery's command line for this very package, whatever is called so in the current folder.

Celery imports the app that `-A worker` names from the current folder first, unless it is imported already. `producer
run` starts its workers so; what makes `celery -A worker` safe is `producer/commands/celery_app.py`.
"""

from celery.__main__ import main

import worker.celery  # noqa: F401 - and what it imports, while the current folder is on no path

if __name__ == "__main__":
    main()
