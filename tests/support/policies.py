"""Policies for tests that count rows and do not care for tokens."""

from worker.batching.budget import Budget
from worker.batching.policy import Policy
from worker.contract.buckets import Bucket

SQUARE = Bucket(256, 256)


def policy(images: int, *, max_wait: float, at: Bucket = SQUARE) -> Policy:
    """Make a policy with so many images in a call at any resolution about as large as this one."""
    return Policy(budget=Budget(images=images, at=at, most=images), max_wait=max_wait)
