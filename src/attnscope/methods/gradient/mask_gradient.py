"""The gradient at a mask on the keys: what the target loses, to first order, when nobody sees a token."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.attention.layers import coverage
from attnscope.methods.task import Scores, Task
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.layout import attention_layout
from attnscope.models.gradients.key_masks import key_mask_gradients
from attnscope.models.targets.readout import batch_inputs
from attnscope.results.base import Measured


def mask_gradient(task: Task, *, steps: int = 1, exact: int = 0, by_head: bool = False) -> Scores:
    """The target's gradient at a mask on each token as a key, in all layers and heads: what being seen is worth.

    With a mask m_j on every key, A_ij = m_j e^{s_ij} / Σ_k m_k e^{s_ik}, and without one where a token sees itself:

        score(token j) = ∂F/∂m_j at m = 1
                       = Σ over layers, heads and queries i ≠ j of A_ij (∂F/∂A_ij − Σ_k A_ik ∂F/∂A_ik)

    So, to first order, F loses the score when nobody but the token itself sees token j, and the other weights share
    what it had. Signed, in F's own unit (nats for log-probabilities and losses): positive words raise F. A word is the
    sum of its tokens. In an encoder–decoder the encoder and the cross-attention have the mask.

    steps:   the mean over m = 1/steps, 2/steps, …, 1 on all scored tokens at once instead of m = 1 alone: with many
             steps the scores add up to F minus its value where no scored token is seen by another one (as integrated
             gradients do along embeddings). Special tokens, a template and what `within` leaves out keep m = 1.
    exact:   so many units, those with the highest scores, are then left out of the text one by one, a forward pass
             each, and score what F loses, as in `deletion`; the scores of the others are scaled to these by least
             squares. The tokens of a unit share its score evenly.
    by_head: also measure what each layer and head has in the scores, summed over the scored tokens
             (`measured.by_head`: {layer: (head, …)}; in an encoder–decoder "encoder 0", "cross 0").

    One forward pass, one backward pass and the attention of every layer once more, a block of queries at a time: memory
    grows linearly with the text, but for steps above 1, which hold one mask of token × token. What tokens learn of each
    other in other ways (a state space, a convolution) is not in it: see `measured.coverage`.

    It misleads where F is far from linear in the mask, above all where a head is all on one token: seeing that token a
    little less changes nothing, since the weights are renormalised, and its score is 0 (as in `gradient`, and unlike in
    `gim`). It knows nothing of what a token does for itself: the last token before a continuation is seen by nobody
    else, and scores 0 whatever it means.

    Raises what `gradient` raises, ModelError where the model's attention cannot be seen, and with `exact` what
    `deletion` raises, and InputError where F is the loss of the text, which is another one without a word.

    >>> text = "Paris is in France. Tokyo is in"
    >>> ats.explain(model, text, method="mask_gradient", target=" Japan", against=" France").scores.round(1)
    array([-0.7, -1.9,  0.1,  2.1, -1.9,  1.6, -0.5,  0. ])
    """
    if steps < 1:
        raise InputError(f"steps={steps!r}: give 1 or more")
    if type(exact) is not int or exact < 0:
        raise InputError(f"exact={exact!r}: give how many units are left out one by one, 0 or more")
    if exact and task.target.readouts[0].of_text:
        raise InputError("exact leaves words out, and with them what the loss of the text is taken over: give a target")
    by_layer, values = _by_layer(task, steps)
    scored = [token for span in task.units.spans for token in span.tokens]
    heads = {
        str(layer) if stack == "self" else f"{stack} {layer}": tuple(of_heads[..., scored].sum((0, 2)).tolist())
        for (stack, layer), of_heads in by_layer.items()
    }
    tokens = torch.stack([of_heads.sum(1) for of_heads in by_layer.values()]).sum(0)
    net = task.model.model
    two_stacks = is_encoder_decoder(net)
    layout = attention_layout(net, batch_inputs(net, task.target.readouts[:1]), "cross" if two_stacks else None)
    seen = coverage(layout, "encoder" if two_stacks else "self")
    return Scores(
        tokens=None if exact else tokens,
        units=_with_exact(task, tokens, exact) if exact else None,
        values=values,
        measured=Measured(coverage=seen, by_head=heads if by_head else {}),
    )


def _with_exact(task: Task, tokens: Tensor, count: int) -> NDArray[np.float64]:
    """(target, token) -> (target, unit): what the target loses without each of the `count` highest units, and the sums
    of the others' tokens, scaled to these."""
    units = np.stack([tokens[:, list(span.tokens)].sum(1).numpy() for span in task.units.spans], 1)
    removable = np.array(task.removable)
    highest = removable[np.argsort(-units.sum(0)[removable], kind="stable")[:count]]
    values = task.values_without([frozenset(), *(frozenset([int(i)]) for i in highest)], "delete")
    lost = (values[0] - values[1:]).T  # (target, one of the highest)
    estimated = units[:, highest]
    length = (estimated**2).sum(1, keepdims=True)
    slope = np.divide((lost * estimated).sum(1, keepdims=True), length, out=np.zeros_like(length), where=length > 0)
    units *= slope.clip(0)  # what was estimated may be of another size, but of no other sign
    units[:, highest] = lost
    return units


def _by_layer(task: Task, steps: int) -> tuple[dict[tuple[str, int], Tensor], NDArray[np.float64]]:
    """(stack, layer) -> (target, head, scored token), from the bottom up; and the target's values on the text."""
    objective, chosen = task.target, task.units.chosen_tokens
    masked = [
        j
        for j, token in enumerate(objective.encoded.tokens)
        if steps > 1 and not token.special and (chosen is None or j in chosen)
    ]
    by_layer: dict[tuple[str, int], Tensor] = {}
    values = np.zeros(max(1, len(objective.about)))
    for readout in objective.readouts:
        read = [j for j in masked if j < len(readout.inputs["input_ids"])]
        for target, single in enumerate(readout.by_entry() if task.per_token else [readout]):
            for step in range(1, steps + 1):
                found = key_mask_gradients(task.model, single, step / steps, read)
                for place, of_heads in found.by_layer.items():
                    scored = objective.on_tokens(of_heads[..., None])[..., 0] / steps
                    by_layer.setdefault(place, scored.new_zeros(len(values), *scored.shape))[target] += scored
            values[target] += found.value  # of the last step, whose mask is 1
    return dict(sorted(by_layer.items())), values
