"""Seeded noise on the tokens that move."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.gradients.noise import checked_samples, noise_samples
from attnscope.models.gradients.path import Path, path_of
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target


def path(target: str | None = None) -> Path:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c [PAD] d"), Target(target))
    return path_of(model.model, objective, 0, torch.zeros(32, dtype=torch.float64))


def test_its_width_is_a_share_of_the_embeddings_range() -> None:
    here = path()
    noise = noise_samples(here, 400, 0.1, seed=0)
    width = 0.1 * float(here.embeddings.max() - here.embeddings.min())
    assert noise.shape == (400, *here.embeddings.shape)
    assert float(noise[:, :3].std()) == pytest.approx(width, rel=0.05)


def test_special_tokens_and_the_continuation_stay() -> None:
    here = path(" e f")
    noise = noise_samples(here, 3, 0.5, seed=0)
    assert here.moving.tolist() == [True, True, True, False, True, False]
    assert (noise != 0).any(-1).any(0).tolist() == here.moving.tolist()


def test_one_seed_one_noise_whatever_follows_the_text() -> None:
    first, again, other = (noise_samples(path(t), 2, 0.5, seed=1)[:, :5] for t in (" e", " e f g", " e"))
    assert torch.equal(first, other)
    assert torch.equal(first[0].ne(0), again[0].ne(0))
    assert not torch.equal(first, noise_samples(path(" e"), 2, 0.5, seed=2)[:, :5])


@pytest.mark.parametrize(("samples", "noise"), [(1, 0.1), (2.0, 0.1), (5, -0.1), (5, float("nan"))])
def test_too_few_samples_or_no_width(samples: int, noise: float) -> None:
    with pytest.raises(InputError, match="at least 2 samples"):
        checked_samples(samples, 2, noise)
