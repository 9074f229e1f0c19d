"""Qwen-Image-Edit refers to pictures of each row's own."""

import numpy as np

from tests.models.qwen.rows import OTHER, of_references, with_references
from tests.support.jobs import edited
from worker.contract.catalog import MODELS
from worker.models.pipelines.editing import PipelineEditor
from worker.models.selftest import run_selftest


def test_a_reference_is_its_rows_own_and_its_place_counts(model: PipelineEditor) -> None:
    """Another reference shows in its row and in no other, and so do two that change places."""
    first, other = with_references(1, OTHER, OTHER), with_references(2, OTHER, OTHER)
    of = of_references(OTHER, OTHER)
    before = edited(model, of, [first, other], 2)
    for changed in (with_references(3, OTHER, OTHER).references, first.references[::-1]):
        rows = [first._replace(references=changed), other]
        after = edited(model, of, rows, 2)
        assert np.abs(before[0].astype(int) - after[0]).mean() > 1
        assert np.array_equal(before[1], after[1])


def test_a_row_with_references_alone_is_the_row_in_a_batch(model: PipelineEditor) -> None:
    """To 1 of 255."""
    rows, of = [with_references(1, OTHER), with_references(2, OTHER)], of_references(OTHER)
    for row, picture in zip(rows, edited(model, of, rows, 2), strict=True):
        assert np.abs(edited(model, of, [row], 1)[0].astype(int) - picture).max() <= 1


def test_the_proof_takes_references(model: PipelineEditor) -> None:
    """A model that failed on rows with references is proved with some."""
    run_selftest(model, MODELS["tiny-qwen"], like=of_references(OTHER))
