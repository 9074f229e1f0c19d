"""What a producer knows of each family of models: an entry each, in the order in which they are listed; no torch.

Each has a folder of its name beside `worker/models/kontext`, which calculates. How one is added: `docs/models.md`.
"""

from typing import Final

from worker.contract.families import klein, klein_kv, kontext, qwen

ENTRIES: Final = (*kontext.ENTRIES, *klein.ENTRIES, *klein_kv.ENTRIES, *qwen.ENTRIES)
