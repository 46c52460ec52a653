"""The embeddings of a text, and the baselines in their place."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.models.embeddings import baseline_id, baseline_vector, embedded, readout_embeddings
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target


@pytest.mark.parametrize("family", ["llama", "gemma3", "bert", "t5"])
def test_they_are_the_layers_output_for_the_scored_tokens(family: str) -> None:
    """Gemma scales them inside the layer: that belongs to them."""
    model = ats.Model(tiny(family), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c d"))
    ids = torch.tensor(objective.encoded.inputs["input_ids"])
    with torch.no_grad():
        expected = model.model.get_input_embeddings()(ids).double()
    assert torch.equal(embedded(model.model, objective), expected)
    assert embedded(model.model, objective).dtype == torch.float64


def test_those_of_a_readout_cover_the_continuation_too() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c"), Target(" d e"))
    assert readout_embeddings(model.model, objective.readouts[0]).shape == (4, 32)  # the last token is not read
    assert embedded(model.model, objective).shape == (3, 32)


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_baselines(family: str) -> None:
    model = ats.Model(tiny(family), copy_tokenizer())
    layer = model.model.get_input_embeddings()
    with torch.no_grad():
        every = layer(torch.arange(64)).double()
    assert torch.equal(baseline_vector(model, "zero"), torch.zeros(32, dtype=torch.float64))
    torch.testing.assert_close(baseline_vector(model, "mean"), every.mean(0))
    assert torch.equal(baseline_vector(model, "pad"), every[model.tokenizer.pad_token_id])
    assert baseline_id(model, "pad") == model.tokenizer.pad_token_id
    with pytest.raises(ModelError, match="has no mask token"):
        baseline_vector(model, "mask")
    with pytest.raises(InputError, match="choose from zero, mean, mask, pad"):
        baseline_vector(model, "noise")
