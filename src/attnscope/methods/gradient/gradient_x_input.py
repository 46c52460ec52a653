"""Gradient × input: how much of the target each word carries, to first order."""

from attnscope.methods.task import Scores, Task


def gradient_x_input(task: Task) -> Scores:
    """The gradient of the target at each token's embedding, times that embedding (Shrikumar et al., arXiv:1605.01713).

    score(token i) = ∂F/∂e_i · e_i, where F is the target (`models.targets`) and e_i the output of the embedding layer:
    how much F would fall if the embedding were set to zero and F were linear. Signed, in F's own unit (nats for
    log-probabilities and losses): positive words raise F. A word is the sum of its tokens.

    Special tokens stay in the input but not in the picture. It misleads where F is far from linear between the text and
    the zero embedding: a saturated prediction, a gate that is shut.
    On the texts of docs/faithfulness.md it did not beat random scores at p < 0.01, on any model.

    Raises what `gradient` raises.

    >>> text = "Paris is in France. Tokyo is in"
    >>> ats.explain(model, text, method="gradient_x_input", target=" Japan", against=" France").scores.round(1)
    array([ 2.3,  0.9,  0.3,  2.4, -0.6,  0.1,  0.2,  0.8])
    """
    values, vectors = task.gradient()
    return Scores(tokens=(vectors * task.embeddings()[None]).sum(-1), values=values)
