"""Values and gradients between a baseline and a text, against one pass a point."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.models.embeddings import baseline_vector
from attnscope.models.gradients.path import Path, path_of
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.readout import values
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target


@pytest.fixture
def path() -> Path:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c d"), Target(" e f"))
    return path_of(model.model, objective, 0, baseline_vector(model, "mean"))


def value_at(path: Path, alpha: float) -> torch.Tensor:
    mixed = path.embeddings.clone()
    mixed[:4] = path.baseline + alpha * (path.embeddings[:4] - path.baseline)
    embeddings = mixed.float()[None].requires_grad_()
    logits = path.net(inputs_embeds=embeddings).logits[0].log_softmax(-1)
    value = logits[[3, 4], list(path.readout.ids)].sum()
    (gradient,) = torch.autograd.grad(value, embeddings)
    return torch.cat([value.detach()[None], gradient[0, :4].flatten()])


def test_every_point_is_the_models_own(path: Path) -> None:
    alphas = [0.0, 0.3, 1.0]
    expected = torch.stack([value_at(path, alpha) for alpha in alphas])
    found = path.values(alphas)
    torch.testing.assert_close(found[:, 0].float(), expected[:, 0], atol=1e-4, rtol=1e-4)
    seen = []
    for index, gradient in path.gradients(alphas):
        seen.append(index)
        torch.testing.assert_close(gradient.float().flatten(), expected[index, 1:], atol=1e-4, rtol=1e-3)
    assert sorted(seen) == [0, 1, 2]


def test_the_end_is_the_text_and_the_difference_leads_there(path: Path) -> None:
    (whole,) = values(path.net, [path.readout])
    torch.testing.assert_close(path.values([1.0])[0], whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(path.difference, path.embeddings[:4] - path.baseline)
    ((_, at_text),) = path.gradients_at(1, lambda _index: path.embeddings)
    ((_, at_one),) = path.gradients([1.0])
    torch.testing.assert_close(at_text, at_one)


def test_only_the_positions_that_may_move_do_and_special_ones_never() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b [PAD] c"), Target(" e f"))
    some = path_of(model.model, objective, 0, baseline_vector(model, "mean"), {1, 2, 4})
    assert some.moving.tolist() == [False, True, False, False, False]
    assert some.difference.any(-1).tolist() == [False, True, False, False]
