"""The models, behind one small protocol: a folder per family, and what families share in `speed` and `weights`.

Only `worker.bootsteps`, which loads one, and the bench come in. Nothing is imported here: all but `protocol`,
`startup`, `warmup` and `selftest` needs torch.
"""

import logging

# While diffusers is imported it warns of two image processors that do without torchvision; no pipeline here uses them.
logging.getLogger("transformers.utils.import_utils").setLevel(logging.ERROR)
