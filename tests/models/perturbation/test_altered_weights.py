"""The nearby model is the model itself inside a context; the randomised one is a copy."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.models.perturbation.altered_weights import nearby, randomised

IDS = torch.tensor([[5, 6, 7, 5]])


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_every_embedding_moves_by_its_share_and_the_same_way(family: str) -> None:
    model = ats.Model(tiny(family), copy_tokenizer())
    layer = model.model.get_input_embeddings()
    with torch.no_grad():
        before = layer(IDS)[0]
        with nearby(model, 0.1, seed=3):
            moved, again = layer(IDS)[0], layer(IDS.flip(1))[0]
        with nearby(model, 0.1, seed=4):
            other = layer(IDS)[0]
        assert torch.equal(layer(IDS)[0], before)
    torch.testing.assert_close((moved - before).norm(dim=-1), 0.1 * before.norm(dim=-1))
    assert torch.equal(moved[0], moved[3])
    assert torch.equal(again.flip(0), moved)
    assert not torch.allclose(other, moved)


def test_the_randomised_copy_has_the_same_numbers_elsewhere() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    copy, again = randomised(model, 1), randomised(model, 1)
    for name, own in model.model.named_parameters():
        shuffled = copy.model.get_parameter(name)
        assert torch.equal(shuffled, again.model.get_parameter(name))
        assert torch.equal(own.flatten().sort().values, shuffled.flatten().sort().values), name
        assert torch.equal(own, shuffled) == (own.dim() < 2), name
    assert copy.tokenizer is model.tokenizer
