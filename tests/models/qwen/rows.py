"""Rows of pictures and references for Qwen-Image-Edit."""

from tests.support.jobs import job, key
from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket

#: Of the picture that is edited, and of a reference beside it: of one area, in sides of whole 32 pixels.
SIZE, OTHER = Bucket(96, 64), Bucket(64, 96)


def of_references(*references: Bucket) -> BatchKey:
    """Make a key of rows with references of these sizes, without true CFG."""
    return key(SIZE, steps=2)._replace(guidance=1.0, references=references)


def with_references(number: int, *sizes: Bucket) -> EditJob:
    """Make a row whose references are its own."""
    others = tuple(job(10 * number + place, size).image for place, size in enumerate(sizes, 1))
    return job(number, SIZE)._replace(references=others)
