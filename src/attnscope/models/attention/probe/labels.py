"""Which call of a trial is which layer of which stack, by what the model itself reports as its attention."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import ModelError, NoAttentionError
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.probe.trial import Pass, TrialCall

# A call's stack and layer. A call that is no layer's own attention from token to token has the stack "".
Label = tuple[str, int]
UNREAD: Label = ("", 0)
# What two passes may differ in, by the precision of the model: more than rounding makes, far less than any difference
# in the formula.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 3e-2}


def labels_of(net: PreTrainedModel, calls: Sequence[TrialCall], eager: Pass, stacks: Sequence[str]) -> list[Label]:
    """The label of each call, in the order of the calls. Raises ModelError where they cannot be told apart.

    Calls of eager attention are known again in what the model reports. Otherwise they are, of each stack, the next
    layer in turn that they agree with; of a model that reports nothing, one after the other.
    """
    reported = expected(net, eager, stacks)
    own = {id(weights): (stack, i) for stack, of in reported.items() for i, weights in enumerate(of)}
    if any(id(call.returned) in own for call in calls):
        return [own.get(id(call.returned), UNREAD) for call in calls]
    readable = [call for call in calls if _from_token_to_token(call.weights, eager)]
    if not reported and len(stacks) == 1:
        if not readable:
            raise nothing_to_show(net)
        number = {id(call): i for i, call in enumerate(readable)}
        return [(stacks[0], number[id(call)]) if id(call) in number else UNREAD for call in calls]
    total = sum(map(len, reported.values()))
    if len(readable) != total:
        raise ModelError(
            f"{type(net).__name__} calls attention {len(readable)} times but reports {total} attention layers: "
            "attnscope cannot tell which is which; use a gradient method"
        )
    following = dict.fromkeys(reported, 0)
    labels = []
    for call in calls:
        if not any(call is other for other in readable):
            labels.append(UNREAD)
            continue
        errors = {
            stack: difference(call.weights, layers[following[stack]])
            for stack, layers in reported.items()
            if following[stack] < len(layers)
        }
        stack = min(errors, key=lambda name: errors[name])
        labels.append((stack, following[stack]))
        following[stack] += 1
    return labels


def expected(net: PreTrainedModel, eager: Pass, stacks: Sequence[str]) -> dict[str, list[Tensor]]:
    """What the model reports as the attention of each stack: what is from token to token, and shares.

    Raises ModelError where it reports nothing else.
    """
    # What a body reports as "attentions" is its one stack's; a decoder's, where an encoder runs beside it.
    reported = {stack if stack in stacks else stacks[0]: of for stack, of in eager.reported.items()}
    chosen = {stack: [w for w in of if _from_token_to_token(w, eager) and _shares(w)] for stack, of in reported.items()}
    for of in reported.values():
        odd = next((weights for weights in of if not _from_token_to_token(weights, eager)), None)
        if odd is not None and len(stacks) == 1 and not eager.calls:
            raise ModelError(
                f"{type(net).__name__} reports attention of shape {tuple(odd.shape)}, not (batch, head, query, key): "
                "it does not attend from every token to every token, which is all that attnscope can draw; use a "
                "gradient method"
            )
    return {stack: of for stack, of in chosen.items() if of}


def nothing_to_show(net: PreTrainedModel) -> NoAttentionError:
    """The error about a model that attends nowhere from token to token."""
    return NoAttentionError(
        f"{type(net).__name__} has no attention weights to show from token to token (it may be a state-space or "
        "recurrent model, or attend in blocks); use a transformer with attention layers, or a gradient method"
    )


def stacks_run(net: PreTrainedModel, *, with_decoder: bool) -> tuple[str, ...]:
    """The stacks whose layers run in a trial."""
    if not is_encoder_decoder(net):
        return ("self",)
    return ("encoder", "decoder", "cross") if with_decoder else ("encoder",)


def difference(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference of two layers' weights; infinite where they are of another shape."""
    return (ours - theirs.float().cpu()).abs().max().item() if ours.shape == theirs.shape else float("inf")


def _from_token_to_token(weights: Tensor, eager: Pass) -> bool:
    return weights.dim() == 4 and {*weights.shape[2:]} <= {*eager.lengths}


def _shares(weights: Tensor) -> bool:
    """Whether the rows are shares: not negative, and no more than one together."""
    highest = weights.float().sum(-1).max().item()
    return weights.min().item() >= 0 and highest <= 1 + max(1e-4, 4 * torch.finfo(weights.dtype).eps)
