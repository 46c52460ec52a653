"""Layers as a caller counts them: all of the model's, of which some may have no attention weights."""

from collections.abc import Mapping

from torch import Tensor

from attnscope.errors import ModelError, NoAttentionError, RangeError
from attnscope.methods.request import in_range
from attnscope.models.attention.layer_numbers import FEED_FORWARD
from attnscope.models.attention.layout import attention_layout
from attnscope.models.linear_attention.capture import linear_layers
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import AttentionLayout, LinearLayer


def attending_layer(model: Model, layout: AttentionLayout, stack: str, index: object, words: str = "") -> int:
    """The index of a layer from 0 on; -1 is the last that has attention weights. `words`: what else may be given.

    Raises RangeError for one that is out of range, or that has no attention weights.
    """
    kinds, heads = layout.kinds_of(stack), layout.heads_of(stack)
    if index == -1 and heads:
        return max(heads)
    layer = in_range("layer", index, len(kinds), words)
    if layer not in heads:
        what = kinds[layer]
        raise RangeError(
            f"layer {layer} of {type(model.model).__name__} is {what} and has no attention weights; "
            f"layers with weights: {', '.join(map(str, heads))}"
        )
    return layer


def layout_beside(
    model: Model, inputs: Mapping[str, Tensor], stack: str, linear: Mapping[int, LinearLayer]
) -> AttentionLayout | None:
    """Where the model's attention is; None where it has none and layers of linear attention instead.

    Raises what `attention_layout` raises otherwise.
    """
    try:
        return attention_layout(model.model, inputs, stack)
    except NoAttentionError:
        if not linear:
            raise
        return None


def linear_of(model: Model, inputs: Mapping[str, Tensor], stack: str) -> dict[int, LinearLayer]:
    """The layers of linear attention within one text, by their numbers."""
    return linear_layers(model.model, inputs) if stack == "self" else {}


def linear_layer(model: Model, linear: Mapping[int, LinearLayer], count: int, index: object) -> int:
    """The index of a layer of linear attention from 0 on, of a model with `count` layers; -1 is the last of them.

    Raises RangeError for one that is out of range or has none, ModelError where the model has none.
    """
    name = type(model.model).__name__
    if not linear:
        raise ModelError(f"{name} has no linear attention that attnscope can unroll: leave linear out")
    layer = max(linear) if index == -1 else in_range("layer", index, max(count, max(linear) + 1))
    if layer not in linear:
        raise RangeError(
            f"layer {layer} of {name} has no linear attention; layers that have: {', '.join(map(str, linear))}"
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
