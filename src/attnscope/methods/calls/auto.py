"""`method="auto"`: which method to take, by the kind of model, the length of the text and the passes one has.

By what was measured (docs/faithfulness.md): taking each word away finds what a prediction relies on, at a pass a word;
the gradient at a mask on the keys comes near to it at two passes, and nearer at eight, whatever the length. Where
attention cannot be seen, and for encoder–decoders, on which that was not measured, a surrogate on random halves stands
in its place.
"""

from collections.abc import Mapping
from typing import Any

from attnscope.errors import InputError, ModelError
from attnscope.methods.gradient.gradient import gradient
from attnscope.methods.gradient.mask_gradient import mask_gradient
from attnscope.methods.perturbation.deletion import deletion
from attnscope.methods.perturbation.surrogate import surrogate
from attnscope.methods.request import SHARED, requested
from attnscope.methods.units import units_of
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.layout import attention_layout
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model, load
from attnscope.models.model_facts import AttentionLayout
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.text.inputs import Given

AUTO = "auto"
# The passes of a budget in words; by default those of a surrogate's 16 halves and the whole text.
FAST, DEFAULT = 2, 17
# Steps of `mask_gradient`, of two passes each: more were not measured.
STEPS = 4
# Fewer samples than these tell a surrogate little.
FEWEST_SAMPLES = 8


def chosen(model: Model, text: Given, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of a method for this text, or for all of these texts, and the parameters to run it with.

    parameters: the caller's, with `budget`: "fast" for one forward and one backward pass; a number of passes (by
    default 17); or "exact", to take each unit away whatever it takes. The longest text decides for a list. A language
    model that is asked about no target has its own text explained, by the gradient of its loss.

    Raises InputError for another budget, and what reading the texts raises.
    """
    given = dict(parameters)
    budget = given.pop("budget", None)
    passes = _passes(budget)
    model = load(model)
    _, request = requested({name: value for name, value in given.items() if name != "on_error"}, {}, SHARED, AUTO)
    if not request.asks_target and task_of(model.model) not in ("classifier", "token classifier"):
        return gradient.__name__, given
    texts = list(encoded_texts(model, text, request.reading))
    longest = max(texts, key=lambda encoded: len(encoded.tokens))
    units = len(units_of(longest, request.unit, request.segments, None if len(texts) > 1 else request.within))
    if passes is None or units < passes:
        return deletion.__name__, {"signed": True, **given}
    layout = _layout(model, longest)
    if passes > FEWEST_SAMPLES and (layout is None or is_encoder_decoder(model.model)):
        return surrogate.__name__, {"samples": (passes - 1) // 2 * 2, **given}
    if layout is None:
        return gradient.__name__, given
    # A model that forms its attention itself has no other mask than the whole one.
    steps = 1 if layout.hooked else min(STEPS, passes // 2)
    return mask_gradient.__name__, {"steps": steps, **given}


def _passes(budget: object) -> int | None:
    """How many passes a budget has; None for any number. Raises InputError."""
    if budget == "exact":
        return None
    passes = FAST if budget == "fast" else DEFAULT if budget is None else budget
    if type(passes) is not int or passes < FAST:
        raise InputError(f"budget={budget!r}: give 'fast', 'exact', or a number of passes, {FAST} or more")
    return passes


def _layout(model: Model, encoded: Encoded) -> AttentionLayout | None:
    """Where the model's attention is; None where it cannot be seen, or not where one gradient would be all of it."""
    net = model.model
    two_stacks = is_encoder_decoder(net)
    if two_stacks and task_of(net) != "encoder-decoder":
        return None
    inputs = batch_inputs(net, [Readout(encoded.inputs, (), (), (), "logit", decoder=(0, 0) if two_stacks else ())])
    try:
        layout = attention_layout(net, inputs, "cross" if two_stacks else None)
    except ModelError:
        return None
    return layout if layout.single else None
