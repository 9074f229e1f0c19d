"""How much of an instruction the model reads is counted by its own tokenizer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from transformers import AutoTokenizer, ByT5Tokenizer

from worker.contract.reading import Reading
from worker.models.demo import CHECKPOINT
from worker.models.pipelines.tokens import TokenCounter


@pytest.mark.parametrize(
    ("letters", "expected"), [(0, (1, 1)), (510, (511, 511)), (511, (512, 512)), (512, (513, 512))]
)
def test_the_bound_is_exact(letters: int, expected: tuple[int, int]) -> None:
    """The token at the end counts: of a tokenizer that reads letters, 511 and the end are 512."""
    reading = TokenCounter(ByT5Tokenizer(extra_ids=0, model_max_length=512), 512)("x" * letters)
    assert reading == Reading(*expected)
    assert reading.is_cut == (letters > 511)


def test_threads_count_at_once_while_the_pipeline_cuts() -> None:
    """Many threads count with the shipped tokenizer, and the pipeline's own goes on cutting meanwhile."""
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT / "tokenizer_2")
    count = TokenCounter(tokenizer, 512)
    texts = [f"{'make it red ' * n}." for n in range(200)]
    alone = [count(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        counted = threads.map(count, texts)
        cut = [tokenizer(text, truncation=True, max_length=16).input_ids for text in texts]
        assert list(counted) == alone
    assert max(map(len, cut)) == 16
    assert alone[-1].is_cut
    assert not alone[1].is_cut
