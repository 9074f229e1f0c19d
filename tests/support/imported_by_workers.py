"""The libraries that workers of the tests find imported; none of their own modules: see `tests.support.forked`."""

import gc
import logging
import os

# Read when torch is loaded. The tests have two cores for two workers.
os.environ["OMP_NUM_THREADS"] = "1"
# While diffusers is imported it warns of two image processors; worker.models hushes it likewise.
logging.getLogger("transformers.utils.import_utils").setLevel(logging.ERROR)

import celery.bin.celery  # noqa: E402 - after what is read while they are imported
import celery.concurrency.thread  # noqa: E402
import celery.worker.consumer  # noqa: E402
import diffusers  # noqa: E402
import kombu.transport.redis  # noqa: E402
import packaging.requirements  # noqa: E402
import PIL.ImageCms  # noqa: E402
import pydantic_settings  # noqa: E402
import rich.progress  # noqa: E402
import tenacity  # noqa: E402
from diffusers import FluxKontextPipeline  # noqa: E402

__all__ = [
    "PIL",
    "FluxKontextPipeline",
    "celery",
    "diffusers",
    "kombu",
    "packaging",
    "pydantic_settings",
    "rich",
    "tenacity",
]

# What is imported so far is nobody's garbage. Looking for some there would take each process half of its start: a
# quarter of a second, and pages of memory of its own.
gc.freeze()
