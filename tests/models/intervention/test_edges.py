"""The rows of queries that lose an edge: made a block at a time, of any kind of call."""

import pytest
import torch
from torch import nn

from attnscope.errors import ModelError
from attnscope.models.attention.interface import EagerCall, SDPACall
from attnscope.models.intervention import edges
from attnscope.models.intervention.edges import Cut, without_edges

torch.manual_seed(0)
QUERY, KEY, VALUE = torch.randn(2, 4, 6, 8), torch.randn(2, 2, 6, 8), torch.randn(2, 2, 6, 8)


def call(**settings: object) -> SDPACall:
    given = {"mask": None, "scaling": 0.5, "softcap": None, "sinks": None, "causal": True} | settings
    return SDPACall(nn.Identity(), QUERY, KEY, VALUE, **given)  # type: ignore[arg-type]


def by_hand(cuts: list[Cut], sinks: torch.Tensor | None = None) -> torch.Tensor:
    """(batch, query, head, hidden), by whole matrices."""
    key, value = KEY.repeat_interleave(2, 1), VALUE.repeat_interleave(2, 1)
    scores = 0.5 * QUERY @ key.transpose(-1, -2)
    scores = scores.masked_fill(torch.ones(6, 6).triu(1).bool(), -torch.inf)
    for place, cut in enumerate(cuts):
        for query, one in cut.edges:
            if cut.renormalise:
                scores[place, :, query, one] = -torch.inf
    beside = None if sinks is None else sinks.view(1, -1, 1, 1).expand(2, 4, 6, 1)
    weights = (scores if beside is None else torch.cat([scores, beside], -1)).softmax(-1)[..., :6].nan_to_num(0)
    for place, cut in enumerate(cuts):
        for query, one in cut.edges:
            weights[place, :, query, one] = 0
    return (weights @ value).transpose(1, 2)


CUTS = [Cut({(5, 0), (5, 3), (2, 2)}), Cut({(1, 0), (4, 4), (0, 0)}, renormalise=False)]


@pytest.mark.parametrize("block", [2_000_000, 1])
@pytest.mark.parametrize("sinks", [None, torch.tensor([0.5, -1.0, 2.0, 0.0])])
def test_each_text_of_a_batch_loses_its_own(
    block: int, sinks: torch.Tensor | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "BLOCK", block)
    whole = by_hand([Cut(()), Cut(())], sinks)
    found = without_edges(call(sinks=sinks), CUTS, whole)
    torch.testing.assert_close(found, by_hand(CUTS, sinks), atol=1e-5, rtol=0)
    assert not torch.equal(found, whole)
    torch.testing.assert_close(found[0, [0, 1, 3, 4]], whole[0, [0, 1, 3, 4]], atol=0, rtol=0)


def test_a_matrix_that_the_model_formed_is_cut_too() -> None:
    weights = call().weights(torch.arange(6))
    whole = by_hand([Cut(()), Cut(())])
    found = without_edges(EagerCall(nn.Identity(), weights, VALUE), CUTS, whole)
    torch.testing.assert_close(found, by_hand(CUTS), atol=1e-5, rtol=0)
    # What a sink has taken stays taken.
    sinks = torch.tensor([0.5, -1.0, 2.0, 0.0])
    weights = call(sinks=sinks).weights(torch.arange(6))
    found = without_edges(EagerCall(nn.Identity(), weights, VALUE), CUTS, by_hand([Cut(()), Cut(())], sinks))
    torch.testing.assert_close(found, by_hand(CUTS, sinks), atol=1e-5, rtol=0)


HIDDEN = torch.ones(6, 6).triu(1).bool()
HALF = torch.zeros(6, 6).masked_fill(HIDDEN, torch.finfo(torch.float16).min).half()


@pytest.mark.parametrize("mask", [~HIDDEN, HALF])
def test_a_mask_hides_what_is_hidden(mask: torch.Tensor) -> None:
    """A query whose last key goes puts out zero, and not what the mask has hidden."""
    cuts = [Cut({(0, 0), (3, 1)}), Cut(())]
    found = without_edges(call(mask=mask[None, None], causal=False), cuts, by_hand([Cut(()), Cut(())]))
    torch.testing.assert_close(found, by_hand(cuts), atol=1e-5, rtol=0)
    assert not found[0, 0].any()


def test_a_call_of_other_pieces_is_refused() -> None:
    with pytest.raises(ModelError, match="in 2 pieces where 1 are read"):
        without_edges(call(), [Cut({(1, 0)})], torch.zeros(2, 6, 4, 8))
