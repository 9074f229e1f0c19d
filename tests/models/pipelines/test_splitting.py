"""A batch that does not fill a call, or more than one."""

from itertools import accumulate

import numpy as np
import pytest

from tests.models.conftest import Load
from tests.support.jobs import edited, job, key


@pytest.mark.parametrize(("is_compiled", "calls"), [(False, [4, 3]), (True, [4, 2, 1])])
def test_a_part_full_batch_is_split_and_never_padded(load: Load, *, is_compiled: bool, calls: list[int]) -> None:
    """Of seven rows, at most four at a time, the rest is a call of its own; compiled, one of 2 and one of 1."""
    model = load(profile="reference")
    model.is_compiled = is_compiled  # all that splitting looks at; compiling four sizes takes minutes
    sizes: list[int] = []
    transformer = model.pipeline.transformer
    noting = transformer.register_forward_pre_hook(
        lambda _module, _args, kwargs: sizes.append(len(kwargs["hidden_states"])), with_kwargs=True
    )
    jobs = [job(number) for number in range(1, 8)]
    seven = edited(model, key(steps=2), jobs, 4)
    noting.remove()
    assert sizes == [size for size in calls for _ in range(2)]
    for end, size in zip(accumulate(calls), calls, strict=True):
        assert np.array_equal(seven[end - size : end], edited(model, key(steps=2), jobs[end - size : end], size))
