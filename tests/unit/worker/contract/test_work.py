"""A transformer's arithmetic, from its size and its tokens."""

from dataclasses import replace

import pytest

from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec
from worker.contract.work import Network, Tokens

SQUARE = Bucket(1024, 1024)
KONTEXT = Network(width=3072, blocks=57, squares=12)
TOKENS = KONTEXT.tokens(SQUARE, [SQUARE])


def test_tokens_are_patches_and_an_instruction() -> None:
    """Of 16 × 16 pixels each; with the picture that is edited they are what the transformer attends over."""
    assert TOKENS == (512 + 4096, 4096)
    assert sum(TOKENS) == SQUARE.tokens == 8704
    assert KONTEXT.tokens(Bucket(512, 512), [Bucket(512, 512), SQUARE]) == (512 + 1024, 1024 + 4096)
    assert KONTEXT.tokens(SQUARE, []) == (512 + 4096, 0)


def test_an_encoder_that_sees_pictures_has_more_to_say() -> None:
    """Each picture adds to the instruction."""
    assert replace(KONTEXT, seen=203).tokens(SQUARE, [SQUARE] * 2) == (512 + 2 * 203 + 4096, 2 * 4096)


def test_a_step_at_one_megapixel_has_so_many_operations() -> None:
    """8704 tokens take 57·24·3072²·N = 112.4 and 57·4·3072·N² = 53.1 TFLOP; 28 steps of both 4.63 PFLOP."""
    step = KONTEXT.later(TOKENS)
    assert step.linear / 1e12 == pytest.approx(112.4, abs=0.05)
    assert step.attention / 1e12 == pytest.approx(53.1, abs=0.05)
    assert step.all / 1e12 == pytest.approx(165.5, abs=0.1)  # the sum of what was rounded
    assert KONTEXT.first(TOKENS) == step
    assert KONTEXT.picture(TOKENS, steps=28) / 1e15 == pytest.approx(4.63, abs=0.005)
    assert KONTEXT.picture(TOKENS, steps=28, passes=2) == 2 * KONTEXT.picture(TOKENS, steps=28)


def test_kept_references_cost_once() -> None:
    """They attend to themselves alone, at the first step; later only what attends to them is calculated."""
    network = Network(width=10, blocks=1, squares=1, keeps_references=True)
    tokens = Tokens(own=3, references=4)
    assert network.first(tokens) == (2 * 100 * 7, 4 * 10 * (3 * 7 + 4 * 4))
    assert network.later(tokens) == (2 * 100 * 3, 4 * 10 * 3 * 7)
    assert network.picture(tokens, steps=3) == network.first(tokens).all + 2 * network.later(tokens).all


@pytest.mark.parametrize("spec", [spec for spec in MODELS.values() if spec.checkpoints], ids=lambda spec: spec.name)
def test_the_catalogs_work_follows_from_its_networks(spec: ModelSpec) -> None:
    """What a picture of a megapixel costs is what the size of the transformer comes to, in its own steps."""
    passes = 2 if spec.guided == "true CFG" else 1
    for checkpoint in spec.checkpoints:
        tokens = checkpoint.network.tokens(SQUARE, [SQUARE] if spec.references else [])
        counted = checkpoint.network.picture(tokens, steps=spec.steps, passes=passes)
        assert checkpoint.pflop == pytest.approx(counted / 1e15, rel=3e-3), checkpoint.hub_id
