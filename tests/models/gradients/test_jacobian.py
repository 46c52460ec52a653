"""Integrated Jacobians against autograd's own, on every kind of pooling."""

import numpy as np
import pytest
import torch
from tiny_models import small
from torch import Tensor, nn
from torch.nn.functional import normalize

from attnscope.errors import ModelError
from attnscope.methods.gradient.integrated_gradients import points
from attnscope.models.gradients import jacobian
from attnscope.models.gradients.jacobian import movement
from attnscope.models.inputs.encode import encode
from attnscope.models.loading.load import load
from attnscope.models.targets.pooling import Pooling

PATH = [(float(alpha), float(weight)) for alpha, weight in zip(*points(6, "gauss-legendre"), strict=True)]


@pytest.mark.parametrize("name", ["bert", "roberta", "llama", "modernbert", "t5"])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_it_is_the_textbooks(name: str, similarity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The textbook: the whole Jacobian by autograd, one number of the vector at a time, at every point of the path."""
    model = load(small(name, 2.0))
    body = model.model.get_encoder() if name == "t5" else model.model.base_model
    encoded = encode(model.tokenizer, "a b c d")
    ids = torch.tensor([encoded.inputs["input_ids"]])
    text = body.get_input_embeddings()(ids).detach()
    baseline = torch.linspace(-1, 1, text.shape[-1], dtype=torch.float64)

    def vector(embeddings: Tensor) -> Tensor:
        places = {"position_ids": torch.arange(2, 6)[None]} if name == "roberta" else {}
        pooled = body(inputs_embeds=embeddings, **places).last_hidden_state[0].mean(0)
        return normalize(pooled, dim=0) if similarity == "cosine" else pooled

    way = text - baseline.float()
    expected = torch.zeros(text.shape[-1], 4)
    for alpha, weight in PATH:
        whole = torch.autograd.functional.jacobian(vector, text - (1 - alpha) * way)[:, 0]  # (hidden, token, hidden)
        expected += weight * (whole * way).sum(-1)
    found = movement(model.model, Pooling("mean", similarity=similarity), encoded, baseline, PATH)
    np.testing.assert_allclose(found.by_token, expected.detach(), rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(found.end, vector(text).detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.start, vector(text - way).detach(), rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(jacobian, "BUDGET", 9)  # two tokens at one point
    again = movement(model.model, Pooling("mean", similarity=similarity), encoded, baseline, PATH)
    np.testing.assert_allclose(again.by_token, found.by_token, rtol=1e-3, atol=1e-5)


def test_a_part_without_a_derivative_forwards_is_named() -> None:
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:  # noqa: ARG004 -- torch passes it
            return 2 * x

        @staticmethod
        def backward(ctx: object, x: Tensor) -> Tensor:  # noqa: ARG004
            return 2 * x

    class Odd(nn.Module):
        def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            return {"sentence_embedding": Scaled.apply(features["token_embeddings"]).mean(1)}

    model = small("bert")
    encoded = encode(model.tokenizer, "a b")
    with pytest.raises(ModelError, match="has a part without a derivative forwards, which the matrix of two texts"):
        movement(model.model.bert, Pooling(modules=(Odd(),)), encoded, torch.zeros(32, dtype=torch.float64), PATH)
