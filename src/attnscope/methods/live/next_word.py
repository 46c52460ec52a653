"""What a causal model would write next, and what that relied on: in one forward and one backward pass.

`explain(model, text, "gradient", generate=1)` gives the same scores. It runs the model once more, because it lets the
model write first, and asks about what it wrote afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attnscope.errors import InputError
from attnscope.methods.build import result_of
from attnscope.methods.request import Request
from attnscope.methods.shared import SharedGradients
from attnscope.methods.table import Method
from attnscope.methods.task import Task
from attnscope.methods.units import units_of
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.continuation import continued_by, opened, text_after
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.generation import ends
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import has_separate_head
from attnscope.models.targets.next_tokens import (
    NextToken,
    next_log_probabilities,
    next_tokens,
    next_with_gradient,
)
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.target import Objective, explained
from attnscope.results.attribution import Attribution
from attnscope.text.inputs import Messages

# Methods that need nothing but the gradient at the embeddings, once.
BY_ONE_GRADIENT = ("gradient", "gradient_x_input")


@dataclass(frozen=True)
class NextWord:
    """What may come next, the likeliest first, and what the likeliest that is a text relied on.

    ends: the ids with which the model ends a text.
    """

    tokens: tuple[NextToken, ...]
    explained: NextToken
    result: Attribution
    ends: frozenset[int]


def likeliest(model: Model, text: str | Messages) -> tuple[NextToken, ...]:
    """The likeliest next tokens, by one forward pass; none for a model that does not continue a text."""
    if task_of(model.model) != "causal":
        return ()
    (encoded,) = encoded_texts(model, text)
    with default_settings():
        prompt = opened(model.tokenizer, encoded)
        return tuple(next_tokens(model, encoded, next_log_probabilities(model, prompt.inputs)))


def in_one_pass(model: Model, method: Method) -> bool:
    """Whether `next_word` can explain the model's next word by this method."""
    return method.name in BY_ONE_GRADIENT and task_of(model.model) == "causal" and has_separate_head(model.model)


def next_word(model: Model, text: str | Messages | Encoded, method: Method, *, written: Sequence[int] = ()) -> NextWord:
    """The likeliest next tokens, and the likeliest of them explained by a method for which `in_one_pass` holds.

    written: tokens that the model has written after the text already.
    """
    if not in_one_pass(model, method):
        raise InputError(f"{method.name} does not explain the next token in one pass: use explain with generate=1")
    (encoded,) = encoded_texts(model, [text] if isinstance(text, Encoded) else text)
    with default_settings():
        if written:
            encoded = continued_by(model, encoded, written).encoded
        table, token, value, vectors = next_with_gradient(model, encoded)
        prompt = opened(model.tokenizer, encoded)
        last = len(prompt.tokens) - 1
        readout = Readout(prompt.inputs, (last,), (token.id,), (1,), "log_probability", ahead=1)
        found = tuple(next_tokens(model, encoded, table))
        # What the model would write is named so; a likelier token may be a part of a character, or the end.
        said = f"the generation {token.text!r}" if token == found[0] else repr(token.text)
        what = explained(said, "log_probability")
        objective = Objective(prompt, (readout,), what, "log_probability", answer=(token.text,))
        shared = SharedGradients(model, [objective])
        shared.ready[0] = (vectors.new_tensor([value]), vectors[None])
        task = Task(
            model, method.name, prompt, units_of(prompt, None, None, None), Request(generate=1), objective,
            shared_gradients=shared,
        )  # fmt: skip
        result = result_of(task, method, method.options, method.run(task, **method.options))
        assert isinstance(result, Attribution)
        return NextWord(found, token, result, ends(model))


def written_text(model: Model, encoded: Encoded, written: Sequence[int]) -> str:
    """What these tokens add to the text."""
    return text_after(model.tokenizer, opened(model.tokenizer, encoded).inputs["input_ids"], written)
