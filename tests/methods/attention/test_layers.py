"""Layers counted as the model counts them, and how many of them have attention weights."""

from attnscope.methods.attention.layers import coverage
from attnscope.models.model_facts import AttentionLayout

KINDS = ("a Mamba layer", "a feed-forward layer", "attention", "a feed-forward layer", "a convolution", "attention")


def test_coverage_counts_the_layers_in_which_tokens_mix() -> None:
    layout = AttentionLayout((("self", 2), ("self", 5)), (4, 4), kinds={"self": KINDS})
    assert coverage(layout, "self") == (2, 4)
    assert coverage(layout, "self", 3) == (1, 2)
    assert coverage(layout, "self", 0) == (0, 1)


def test_where_every_layer_that_mixes_attends_there_is_nothing_to_say() -> None:
    assert coverage(AttentionLayout((("self", 0), ("self", 1)), (4, 4)), "self") is None
    mixed = AttentionLayout((("self", 0),), (4,), kinds={"self": ("attention", "a feed-forward layer")})
    assert coverage(mixed, "self") is None
