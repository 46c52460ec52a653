"""Gradient interaction modifications: gradient × input with a backward pass that sees through self-repair."""

from typing import Literal

from attnscope.methods.task import Scores, Task
from attnscope.models.gradients.backward_rules import BackwardRules, backward_modified
from attnscope.models.targets.readout import batch_inputs

# The paper's constants.
RULES = BackwardRules(temperature=2.0, query_key_share=0.25, value_share=0.5)


def gim(
    task: Task,
    *,
    baseline: Literal["zero", "mean", "mask", "pad"] = "mean",
) -> Scores:
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
    net = task.model.model
    base = task.baseline(baseline)
    values, vectors = task.gradient(lambda: backward_modified(net, batch_inputs(net, task.target.readouts[:1]), RULES))
    return Scores(tokens=(vectors * (task.embeddings() - base)[None]).sum(-1), values=values)
