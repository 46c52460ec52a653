"""`method="auto"`: which method to take, by the kind of model, the length of the text and the passes one has.

By what was measured (docs/faithfulness.md): taking each word away finds what a prediction relies on, at a pass a word;
the gradient at a mask on the keys comes near to it at two passes, and nearer at eight, whatever the length; the passes
that are left take away the words that it finds strongest, which are then no estimates. Where attention cannot be seen,
or is not all that tokens learn from each other, a surrogate on random halves stands in its place.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attnscope.errors import AttnscopeError, InputError, ModelError
from attnscope.methods.attention.layers import coverage
from attnscope.methods.calls.many import checked_list, is_each
from attnscope.methods.gradient.gradient import gradient
from attnscope.methods.gradient.mask_gradient import mask_gradient
from attnscope.methods.perturbation.deletion import deletion
from attnscope.methods.perturbation.surrogate import surrogate
from attnscope.methods.request import SHARED, Request, requested
from attnscope.methods.table import METHODS, OF_ATTENTION
from attnscope.methods.units import units_of
from attnscope.methods.windows import check_window, windows_of
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.layout import attention_layout
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model, load
from attnscope.models.model_facts import AttentionLayout
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.results.plain import is_missing, listed, plain_numbers
from attnscope.text.inputs import Chat, Given, is_chat, is_one, paired

AUTO = "auto"
# The passes of a budget in words; by default those of a surrogate's 16 halves and the whole text.
FAST, DEFAULT = 2, 17
# Steps of `mask_gradient`, of two passes each: more rank words no better.
STEPS = 4
# Steps beyond the first hold a mask of token × token, and every pass is dear: a longer text has one step and no more.
LONGEST_MASKED = 4096
# Fewer samples than these tell a surrogate little.
FEWEST_SAMPLES = 8


def chosen(
    model: Model, text: Given, parameters: Mapping[str, Any], *, masked: bool = True
) -> tuple[str, dict[str, Any]]:
    """The name of a method for this text, or for all of these texts, and the parameters to run it with.

    parameters: the caller's, with `budget`: "fast" for one forward and one backward pass; a number of passes (by
    default 17); or "exact", to take each unit away whatever it takes. The longest text decides for a list. A language
    model that is asked about no target has its own text explained, by the gradient of its loss; who gives an option of
    the gradient alone (norm, pool, preset) means it. With per_token each token of the target has a backward pass of its
    own, and the mask's gradient one step and nothing else. masked=False: where this gradient turned out to be refused.

    Raises InputError for another budget and for a parameter that not all methods take. What is wrong with a text is
    left to the method to say.
    """
    given = dict(parameters)
    if not METHODS[gradient.__name__].options.keys().isdisjoint(given):
        return gradient.__name__, given
    passes = _passes(plain_numbers(given.pop("budget", None)))
    model = load(model)
    each = [name for name, value in given.items() if not is_one(text) and is_each(name, value)]
    given |= {name: listed(given[name]) for name in each}  # a generator is read once
    request = _request({name: value for name, value in given.items() if name not in (*each, "on_error")})
    texts = _readable(model, text, request)
    of_each = zip(*(given[name] for name in each if name != "within"), strict=False)
    explains = [not all(map(is_missing, values)) for values in of_each]
    asks_target = request.asks_target or (bool(explains) and all(explains))
    if not texts or not (asks_target or _has_target(model, text, request)):
        return gradient.__name__, given
    longest = max(texts, key=lambda encoded: len(encoded.tokens))
    within = request.within if len(texts) == 1 else None
    try:
        counts = [len(units_of(encoded, request.unit, request.segments, within)) for encoded in texts]
    except AttnscopeError:
        return gradient.__name__, given
    # Of one unit alone nothing may be left to take it away from.
    single = min(counts) < 2
    if passes is None or (not single and max(counts) < passes):
        return deletion.__name__, {"signed": True, **given}
    layout = _layout(model, longest) if masked else None
    if not single and passes > FEWEST_SAMPLES and layout is None:
        return surrogate.__name__, {"samples": (passes - 1) // 2 * 2, "replacement": "delete", **given}
    if layout is None or max(counts) < 2:
        return gradient.__name__, given
    # A model that forms its attention itself has no other mask than the whole one.
    cheapest = request.per_token or len(longest.tokens) > LONGEST_MASKED
    steps = 1 if cheapest or layout.hooked else min(STEPS, passes // 2)
    exact = 0 if cheapest or single else max(0, passes - 2 * steps - 1)
    return mask_gradient.__name__, {"steps": steps, "exact": exact, **given}


def _passes(budget: object) -> int | None:
    """How many passes a budget has; None for any number. Raises InputError."""
    if budget == "exact":
        return None
    passes = FAST if budget == "fast" else DEFAULT if budget is None else budget
    if type(passes) is not int or passes < FAST:
        raise InputError(f"budget={budget!r}: give 'fast', 'exact', or a number of passes, {FAST} or more")
    return passes


def _request(given: Mapping[str, Any]) -> Request:
    """The parameters that all methods take. Raises InputError for one that only some have."""
    for name in given:
        of = [row.name for row in METHODS.values() if name in row.options or name in row.shared_options]
        if of and (name not in SHARED or name in OF_ATTENTION):
            raise InputError(
                f"no method was named, and {AUTO!r} has no parameter {name!r}: name one that has it, such as "
                f"method={of[0]!r}"
            )
    return requested(given, {"budget": None}, SHARED, AUTO)[1]


def _readable(model: Model, text: Given, request: Request) -> list[Encoded]:
    """Those of the texts that can be read; of a text that is read in windows, each of these."""
    read: list[Encoded] = []
    try:
        inputs: list[Any] = [text] if is_one(text) else paired(checked_list(text), request.text_pair)
        size = None if request.window is None else check_window(model, request)
    except AttnscopeError:
        return []
    reading = (request if is_one(text) else replace(request, text_pair=None)).reading
    for one in inputs:
        try:
            read += encoded_texts(model, [one] if size is None else list(windows_of(model, one, size)), reading)
        except AttnscopeError:
            continue
    return read


def _has_target(model: Model, text: Given, request: Request) -> bool:
    """Whether there is something to explain though no target was given: what the model answers, or a chat's reply."""
    if task_of(model.model) in ("classifier", "token classifier", "answer"):
        return True
    try:
        read = [request.reading.one(one) for one in ([text] if is_one(text) else checked_list(text)) if is_chat(one)]
    except AttnscopeError:
        return False
    return bool(read) and all(isinstance(one, Chat) and one.replies for one in read)


def _layout(model: Model, encoded: Encoded) -> AttentionLayout | None:
    """Where the model's attention is; None where it cannot be seen, where one gradient would not be all of it, or where
    tokens learn of each other in other ways too."""
    net = model.model
    two_stacks = is_encoder_decoder(net)
    if two_stacks and task_of(net) != "encoder-decoder":
        return None
    inputs = batch_inputs(net, [Readout(encoded.inputs, (), (), (), "logit", decoder=(0, 0) if two_stacks else ())])
    try:
        layout = attention_layout(net, inputs, "cross" if two_stacks else None)
    except ModelError:
        return None
    stacks = ("encoder", "cross") if two_stacks else ("self",)
    return layout if layout.single and all(coverage(layout, stack) is None for stack in stacks) else None
