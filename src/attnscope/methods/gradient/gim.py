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
    baseline: Literal["zero", "mean", "mask", "pad"] | str = "mean",
) -> Scores:
    """The modified gradient of the target, times the token's distance from a baseline (Edin et al., arXiv:2505.17630).

    score(token i) = (e_i − b) · ∂̃F/∂e_i, where ∂̃ is the gradient of a backward pass in which the norms' statistics are
    constants, the softmax of attention has twice its temperature, and queries and keys get a quarter and values half of
    their gradients: where attention is sharp, or a norm makes up for what is missing, the plain gradient is small
    although the token matters. Signed, and read like `gradient_x_input`: positive words raise F. The scores do not add
    up to F. A word is the sum of its tokens.

    baseline: as in `integrated_gradients`; the authors compare with another token, as "token: the" does.

    It misleads where other parts of F are far from linear (a gate that is shut). Special tokens stay in the input but
    not in the picture. Raises what `gradient` raises, and ModelError, naming the model, where its attention or norms
    are not known.

    >>> text = "Paris is in France. Tokyo is in"
    >>> ats.explain(model, text, method="gim", target=" Japan", against=" France").scores.round(1)
    array([ 1.5,  1.6,  0.8,  2.6, -0.1,  9.8,  0.4,  4.7])
    """
    net = task.model.model
    base = task.baseline(baseline)
    values, vectors = task.gradient(lambda: backward_modified(net, batch_inputs(net, task.target.readouts[:1]), RULES))
    return Scores(tokens=(vectors * (task.embeddings() - base)[None]).sum(-1), values=values)
