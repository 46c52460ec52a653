"""Poolings and similarities, against their definitions."""

import pytest
import torch
from tiny_models import tiny

from attnscope.errors import ModelError
from attnscope.models.targets.pooling import Pooling, _still

HIDDEN = torch.tensor([[[1.0, 5.0], [3.0, 1.0], [9.0, 9.0]], [[2.0, 0.0], [0.0, 4.0], [7.0, 1.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mean", [[2.0, 3.0], [3.0, 5 / 3]]),
        ("cls", [[1.0, 5.0], [2.0, 0.0]]),
        ("max", [[3.0, 5.0], [7.0, 4.0]]),
        ("last", [[3.0, 1.0], [7.0, 1.0]]),
    ],
)
def test_padding_is_no_part_of_the_text(kind: str, expected: list[list[float]]) -> None:
    torch.testing.assert_close(Pooling(kind)._pooled(HIDDEN, MASK), torch.tensor(expected))


def test_similarities_are_what_they_are_called() -> None:
    one, other = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0], [3.0, 4.0]])
    for name, expected in (
        ("cosine", [0.96, 1.0]),
        ("dot", [24.0, 25.0]),
        ("euclidean", [-(2**0.5), 0.0]),
        ("manhattan", [-2.0, 0.0]),
    ):
        torch.testing.assert_close(Pooling(similarity=name).similarities(one, other)[0], torch.tensor(expected))
    torch.testing.assert_close(Pooling().factors(one), torch.tensor([[0.6, 0.8]]))
    assert Pooling(similarity="dot").factors(one) is one
    with pytest.raises(ModelError, match="negative Euclidean distance, which is no product"):
        Pooling(similarity="euclidean").factors(one)
    with pytest.raises(ModelError, match="the similarity 'hamming' is not known"):
        Pooling(similarity="hamming")


def test_vectors_are_the_models_and_precise() -> None:
    net = tiny("bert").to(torch.bfloat16)
    inputs = {"input_ids": torch.tensor([[4, 5, 6]])}
    with torch.no_grad():
        vectors = Pooling("cls", dims=5).vectors(net, inputs)
        hidden = net.bert(**inputs).last_hidden_state
    torch.testing.assert_close(vectors, hidden[:, 0, :5].float())


def test_modules_beside_the_model_come_back_as_they_were() -> None:
    module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(2, 2))
    module[0].eval()
    with _still((module,)):
        assert not any(part.training for part in module.modules())
        assert not any(parameter.requires_grad for parameter in module.parameters())
    assert [part.training for part in module.modules()] == [True, False, True]
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_a_module_that_needs_more_is_named() -> None:
    class Weighted(torch.nn.Module):
        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {"sentence_embedding": features["all_layer_embeddings"]}

    with pytest.raises(ModelError, match="Weighted of this SentenceTransformer needs 'all_layer_embeddings'"):
        Pooling(modules=(Weighted(),)).vectors(tiny("bert").bert, {"input_ids": torch.tensor([[4, 5]])})
