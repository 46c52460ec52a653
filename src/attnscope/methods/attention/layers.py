"""Layers as a caller counts them: all of the model's, of which some may have no attention weights."""

from attnscope.errors import RangeError
from attnscope.methods.request import in_range
from attnscope.models.attention.layer_numbers import FEED_FORWARD
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import AttentionLayout


def attending_layer(model: Model, layout: AttentionLayout, stack: str, index: object, words: str = "") -> int:
    """The index of a layer from 0 on; -1 is the last that has attention weights. `words`: what else may be given.

    Raises RangeError for one that is out of range, or that has no attention weights.
    """
    kinds, heads = layout.kinds_of(stack), layout.heads_of(stack)
    if index == -1 and heads:
        return max(heads)
    layer = in_range("layer", index, len(kinds), words)
    if layer not in heads:
        raise RangeError(
            f"layer {layer} of {type(model.model).__name__} is {kinds[layer]} and has no attention weights; "
            f"layers with weights: {', '.join(map(str, heads))}"
        )
    return layer


def coverage(layout: AttentionLayout, stack: str, top: int | None = None) -> tuple[int, int] | None:
    """Of the layers (up to `top`) in which tokens mix, how many have attention weights; None where all have.

    A layer with something else beside its attention, such as a state space, counts as two.
    """
    kinds = layout.kinds_of(stack)[: None if top is None else top + 1]
    seen = sum(layer < len(kinds) for layer in layout.heads_of(stack))
    mixing = sum(kind != FEED_FORWARD for kind in kinds) + sum(layer < len(kinds) for layer in layout.beside_of(stack))
    return (seen, mixing) if seen < mixing else None
