"""Gradient interaction modifications: against the paper written out, a planted copy by attention, laws and refusals."""

import numpy as np
import pytest
import torch
from planted import CopyBack, attention_copy, copy_tokenizer
from snapshot import watch
from tiny_models import FAMILIES, tiny
from torch import nn

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models import activation_checkpointing
from attnscope.models.attention import interface
from attnscope.models.embeddings import baseline_vector
from reference import importance as textbook

TEXT = "a b c d e f"


def small(family: str) -> ats.Model:
    return ats.Model(tiny(family, sharp=2.0), copy_tokenizer())


@pytest.mark.parametrize("family", FAMILIES)
def test_gim_is_the_paper_on_every_family(family: str) -> None:
    model = small(family)
    vector = baseline_vector(model, "mean").float()
    expected = textbook.gim(model.model, model.tokenizer(TEXT)["input_ids"], vector)
    result = ats.explain(model, TEXT, method="gim")
    assert np.abs(result.token_scores - expected).max() < 1e-4 * np.abs(expected).max()
    # Falcon rounds its ALiBi otherwise in eager attention.
    rel = 1e-3 if family == "falcon_alibi" else 1e-5
    assert result.measured.value == pytest.approx(ats.explain(model, TEXT).measured.value, rel=rel)
    assert result.signed


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt_oss", "bloom", "falcon"])
def test_side_by_side_in_blocks_or_again_it_is_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(family)
    texts = ["a b", TEXT, "h g f e d c b a"]
    each = [ats.explain(model, text, method="gim", target=" k g", per_token=True) for text in texts]
    together = ats.explain(model, texts, method="gim", target=" k")
    monkeypatch.setattr(interface, "BLOCK", 1)
    monkeypatch.setattr(activation_checkpointing, "SAVED_BYTES", 0)
    for text, one, batched in zip(texts, each, together, strict=True):
        alone = ats.explain(model, text, method="gim", target=" k")
        tolerance = 1e-4 * np.abs(alone.scores).max()
        assert np.abs(batched.scores - alone.scores).max() < tolerance
        assert np.abs(one.scores[0, : len(alone.scores)] - alone.scores).max() < tolerance
        second = ats.explain(model, text + " k", method="gim", target=" g")
        assert np.abs(one.scores[1, : len(second.scores)] - second.scores).max() < 1e-4 * np.abs(second.scores).max()


@pytest.mark.parametrize("back", [0, 1, 3])
@pytest.mark.parametrize("method", ["gim", "attention"])
def test_planted_truth_of_a_copy_by_attention(method: str, back: int) -> None:
    model = ats.Model(attention_copy(back), copy_tokenizer())
    copied = TEXT.split()[-1 - back]
    asked = {"query": "f"} if method == "attention" else {"target": f" {copied}"}
    result = ats.explain(model, TEXT, method=method, **asked)
    assert result.words[int(result.scores.argmax())].text == copied


class OddNorm(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / x.abs().amax(-1, keepdim=True)


def test_what_it_cannot_do_is_refused_by_name() -> None:
    model = small("llama")
    model.model.model.norm = OddNorm()
    watch(model)
    with pytest.raises(ModelError, match="OddNorm is neither a LayerNorm nor an RMSNorm"):
        ats.explain(model, TEXT, method="gim")
    with pytest.raises(ModelError, match="CopyBack"):
        ats.explain(ats.Model(CopyBack.make(back=1), copy_tokenizer()), TEXT, method="gim")


@pytest.mark.parametrize("family", ["llama", "bloom", "gpt_oss"])
def test_it_undoes_itself(family: str) -> None:
    model = small(family)
    before = ats.explain(model, TEXT).scores
    ats.explain(model, TEXT, method="gim")
    assert (ats.explain(model, TEXT).scores == before).all()
    assert all("forward" not in module.__dict__ for module in model.model.modules())
