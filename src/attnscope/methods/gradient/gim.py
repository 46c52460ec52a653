"""Gradient interaction modifications: gradient × input with a backward pass that sees through self-repair."""

from collections.abc import Sequence
from typing import Literal, Unpack

from attnscope.methods.gradient.common import each_answer
from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.embeddings import baseline_vector
from attnscope.models.gradients.gim_backward import interactions_modified
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import batch_inputs


def gim(
    model: Model,
    text: str | Sequence[str],
    *,
    baseline: Literal["zero", "mean", "mask", "pad"] = "mean",
    **asking: Unpack[Asking],
) -> Result | list[Result]:
    """The modified gradient of the target, times the token's distance from a baseline (Edin et al., arXiv:2505.17630).

    score(token i) = (e_i − b) · ∂̃F/∂e_i, where ∂̃ is the gradient of a backward pass in which norms keep their
    statistics as constants, the softmax of attention answers at twice the temperature, and queries and keys get a
    quarter and values a half of their gradients: where attention is sharp, or a norm makes up for what is missing, the
    plain gradient is small though the token matters. Signed, to be read like `gradient_x_input`: positive words raise
    F; what the scores add up to is not F. A word is the sum of its tokens.

    baseline: as in `integrated_gradients`; the authors compare with another token.

    It misleads where F is far from linear in other parts than these (a gate that is shut). Special tokens stay in the
    input and leave the picture. Raises what `gradient` raises, and ModelError for a model whose attention or norms are
    not known: it is refused by name.

    >>> gim(load(), "The capital of Japan is", target=" Tokyo").scores  # doctest: +SKIP
    """
    asked = questions(model, text, asking, "gim")
    net = asked[0].model.model
    base = baseline_vector(asked[0].model, baseline)
    with interactions_modified(net, batch_inputs(net, asked[0].objective.readings[:1])):
        results = each_answer(
            asked,
            "gim",
            {"baseline": baseline},
            lambda vectors, here: (vectors * (here - base)[None]).sum(-1),
            signed=True,
        )
    return answers(text, results)
