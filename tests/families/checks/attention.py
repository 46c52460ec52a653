"""What a query attends to, against the model's own eager attention."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

import attnscope as ats
from families.outcome import NothingToCheckError, UnverifiedError, largest
from families.trial import TEXT, Trial
from reference import textbook
from reference.eager import EagerAttention, eager_copy

# What 8 bits may take from a weight, as a share of its row's largest.
_QUANTISED = 0.008
_WRITTEN = " the hill is good"
# Their sinks take a share of what the weights have made; what they return are the weights before that.
BEFORE_SINK = ("granite_swa", "granitemoe_swa")


def attention(trial: Trial) -> float:
    """First and last layer and head; the last token, one in the middle, and the mean over queries."""
    worst = 0.0
    eager = _eager(trial)
    for number, layer in {0: trial.layers[0], len(eager) - 1: trial.layers[-1]}.items():
        for head in (0, -1):
            rows = eager[number][head].double()
            last, middle, mean = ats.attention(
                trial.model, TEXT, layer=layer, head=head, query=[-1, trial.position, None]
            )
            pairs = (last, rows[-1]), (middle, rows[trial.position]), (mean, rows[trial.kept].mean(0))
            worst = largest(worst, *(float(np.abs(got.token_scores - row.numpy()).max()) for got, row in pairs))
    return worst


def maps(trial: Trial) -> float:
    """Every weight of every layer and head, beyond what 8 bits round; and the layers by the model's own numbers."""
    eager = _eager(trial)
    got = ats.attention_maps(trial.model, TEXT)
    assert len(got.layers) == len(eager), f"{len(got.layers)} layers, the model has {len(eager)}"
    numbers = _stated_numbers(trial)
    assert numbers is None or numbers == list(got.layers), f"layers {got.layers}, by the configuration {numbers}"
    worst = 0.0
    for layer, weights in zip(got.layers, eager, strict=True):
        for head in range(len(weights)):
            wanted = weights[head].double().numpy()
            rounded = _QUANTISED * wanted.max(-1, keepdims=True)
            worst = largest(worst, float((np.abs(got.weights(layer, head) - wanted) - rounded).max()))
    return worst


def decoder_and_cross(trial: Trial) -> float:
    """The other two stacks of an encoder–decoder, on a text that it is made to write."""
    if not trial.plain.two_stacks or trial.case.kind in ("seqcls", "tokcls", "qa"):
        raise NothingToCheckError("one stack")
    decoder = trial.plain.decoder_of(trial.plain.ids(_WRITTEN))
    eager = trial.plain.attention(trial.ids, decoder)
    worst = 0.0
    for stack in ("decoder", "cross"):
        for layer in (0, -1):
            for head in (0, -1):
                got = ats.attention(
                    trial.model, TEXT, layer=layer, head=head, query=-1, stack=stack, target=_WRITTEN
                ).token_scores
                wanted = eager[stack][layer][head][-1].double().numpy()
                assert len(got) == len(wanted), f"{len(got)} keys, the model has {len(wanted)}"
                worst = largest(worst, float(np.abs(got - wanted).max()))
    return worst


def rollout(trial: Trial) -> float:
    """Against the product of all layers' matrices."""
    wanted = textbook.rollout([layer.float() for layer in _eager(trial)])[-1]
    got = ats.explain(trial.model, TEXT, method="rollout", query=-1, stack=_stack(trial)).token_scores
    return float(np.abs(got - wanted.numpy()).max())


def attention_gradient(trial: Trial) -> float:
    """Against Chefer et al. with every matrix and its gradient held."""
    if trial.case.kind in ("bare", "qa"):
        raise NothingToCheckError("nothing to explain")
    question = trial.plain.target(trial.ids, trial.position)
    got = ats.explain(trial.model, TEXT, method="attention_gradient", **question.options).token_scores
    net = eager_copy(trial.plain.net)
    read: list[Tensor] = []
    net.base_model.register_forward_hook(lambda _m, _a, output: read.append(output[0]))
    with EagerAttention([len(trial.ids)], 1, lambda _call, values: values) as seen:
        value = question.value(trial.plain.logits(net, trial.ids, question))
    if len(seen.multiplied) != len(trial.eager):
        raise UnverifiedError(f"{len(seen.multiplied)} products of weights and values in {len(trial.eager)} layers")
    at = list(question.positions)
    if not at:  # a classifier reads where a gradient arrives
        (at_body,) = torch.autograd.grad(value, read[0], retain_graph=True)
        at = (at_body[0] != 0).any(-1).nonzero().flatten().tolist()
    # A recurrent model lets no gradient through its first rounds.
    of = iter(torch.autograd.grad(value, [weights for weights in seen.multiplied if weights.requires_grad]))
    gradients = [next(of) if weights.requires_grad else torch.zeros_like(weights) for weights in seen.multiplied]
    relevance = torch.eye(len(trial.ids), dtype=value.dtype)
    for weights, gradient in zip(seen.multiplied, gradients, strict=True):
        positive = (weights * gradient).clamp(min=0).reshape(-1, *weights.shape[-2:]).mean(0)
        relevance = relevance + positive @ relevance
    wanted = relevance[at].sum(0).detach().double()
    wanted[at] -= 1
    return relative(got[: len(wanted)], wanted)


def relative(got: object, wanted: object) -> float:
    """The largest difference, as a share of the largest number wanted."""
    one, other = (torch.as_tensor(np.asarray(numbers)).double() for numbers in (got, wanted))
    return float((one - other).abs().max() / other.abs().max().clamp_min(1e-30))


def _eager(trial: Trial) -> list[Tensor]:
    """The model's own; attnscope answers or refuses first, so that a refusal counts as one."""
    ats.attention(trial.model, TEXT, layer=-1)
    if trial.case.family in BEFORE_SINK:
        raise UnverifiedError("the weights that the model returns are those before its sinks")
    try:
        eager = trial.eager
    except Exception as error:
        raise UnverifiedError(f"the model gives no attention of its own: {type(error).__name__}: {error}") from error
    if not eager and ats.attention(trial.model, TEXT, layer=-1).measured.mechanism:
        raise NothingToCheckError("linear attention, which is checked by rebuilding its layer's output")
    return eager


def _stack(trial: Trial) -> str | None:
    return "encoder" if trial.plain.two_stacks else None


def _stated_numbers(trial: Trial) -> list[int] | None:
    """The layers that attend, where the configuration names the kind of each."""
    kinds = getattr(deepcopy(trial.plain.net.config).get_text_config(), "layer_types", None)
    if not isinstance(kinds, list) or trial.plain.two_stacks or len(kinds) < len(trial.eager):
        return None
    numbers = [i for i, kind in enumerate(kinds) if ("attention" in kind and "linear" not in kind) or kind == "hybrid"]
    return numbers if len(numbers) == len(trial.eager) else None
