"""Calls get the layers that the model reports them as."""

import pytest
import torch
from tiny_models import tiny
from torch import Tensor, nn

from attnscope.errors import ModelError
from attnscope.models.attention.probe.labels import UNREAD, difference, expected, labels_of, stacks_run
from attnscope.models.attention.probe.trial import Pass, TrialCall

NET = tiny("llama")


def shares(tokens: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(1, 2, tokens, tokens, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def of(*weights: Tensor) -> list[TrialCall]:
    return [TrialCall(nn.Identity(), w, returned=w) for w in weights]


def eager(calls: list[TrialCall], *reported: Tensor) -> Pass:
    return Pass(torch.empty(0), calls, {"self": list(reported)} if reported else {}, lengths=(5,))


def test_calls_are_known_again_by_the_tensors_that_the_model_reports() -> None:
    one, other, third = (shares(seed=seed) for seed in range(3))
    calls = of(one, other, third)
    assert labels_of(NET, calls, eager(calls, one, third), ("self",)) == [("self", 0), UNREAD, ("self", 1)]


def test_calls_that_are_not_are_layers_in_turn() -> None:
    one, other = shares(seed=1), shares(seed=2)
    calls = of(one.clone(), other.clone())
    assert labels_of(NET, calls, eager([], one, other), ("self",)) == [("self", 0), ("self", 1)]
    assert labels_of(NET, calls, eager([]), ("self",)) == [("self", 0), ("self", 1)]
    with pytest.raises(ModelError, match="calls attention 2 times but reports 1"):
        labels_of(NET, calls, eager([], one), ("self",))


def test_what_is_not_from_token_to_token_is_not_read() -> None:
    calls = of(shares(), shares(9))
    assert labels_of(NET, calls, eager(calls), ("self",)) == [("self", 0), UNREAD]
    with pytest.raises(ModelError, match="no attention weights to show from token to token"):
        labels_of(NET, of(shares(9)), eager([]), ("self",))


def test_raw_scores_and_odd_shapes_are_no_attention() -> None:
    raw = torch.randn(1, 2, 5, 5)
    assert expected(NET, eager([], raw), ("self",)) == {}
    assert expected(NET, eager([], shares() * 1.2), ("self",)) == {}
    with pytest.raises(ModelError, match=r"shape \(1, 2, 9, 9\)"):
        expected(NET, eager([], shares(), shares(9)), ("self",))


def test_stacks_and_differences() -> None:
    assert stacks_run(NET, with_decoder=False) == ("self",)
    assert stacks_run(tiny("t5"), with_decoder=False) == ("encoder",)
    assert stacks_run(tiny("t5"), with_decoder=True) == ("encoder", "decoder", "cross")
    assert difference(shares(), shares()) == 0
    assert difference(shares(), shares(9)) == float("inf")
