"""What attention carries: value_norm and value_zeroing, against passes with values taken out by hand."""

import torch
from torch.nn.functional import cosine_similarity

import attnscope as ats
from families.checks.attention import relative
from families.outcome import UnverifiedError, largest
from families.trial import SHORT, TEXT, Trial
from reference.eager import attention_calls, eager_copy, without_each_token, written_by_tokens


def value_norm(trial: Trial) -> float:
    """The last layer with attention: what each token alone makes it write, at the last query."""
    got = ats.explain(trial.model, TEXT, method="value_norm", query=-1, **_stack(trial)).token_scores
    net, inputs, calls = _eager_body(trial, TEXT)
    written = written_by_tokens(trial.plain.body(net), inputs, calls - 1)
    return relative(got, written[:, -1].norm(dim=-1))


def value_zeroing(trial: Trial) -> float:
    """The last layer on the long text; and all layers, followed down, on a short one."""
    worst = 0.0
    for text, layer in ((TEXT, -1), (SHORT, "rollout")):
        options = _stack(trial) | {"query": -1, "layer": layer}
        got = ats.explain(trial.model, text, method="value_zeroing", **options).token_scores
        net, inputs, calls = _eager_body(trial, text)
        row = torch.eye(len(got), dtype=torch.float64)[-1]
        for call in range(calls - 1, -1, -1) if layer == "rollout" else [calls - 1]:
            zeroed, output = without_each_token(trial.plain.body(net), inputs, call)
            # Largest where nothing is left of a direction; rounding may take it a little below zero.
            changed = (1 - cosine_similarity(zeroed.double(), output.double()[None], -1)).clamp(min=0).T
            row = row @ (changed / changed.sum(1, keepdim=True).clamp(min=1e-38))
        worst = largest(worst, relative(got, row))
    return worst


def _eager_body(trial: Trial, text: str) -> tuple:
    net = eager_copy(trial.plain.net)
    inputs = trial.plain.body_inputs(net, trial.plain.ids(text))
    calls = attention_calls(trial.plain.body(net), inputs)
    layers = len(trial.eager)
    if calls != layers:
        raise UnverifiedError(f"{calls} products of weights and values in {layers} layers")
    return net, inputs, calls


def _stack(trial: Trial) -> dict[str, str]:
    return {"stack": "encoder"} if trial.plain.two_stacks else {}
