"""Models that mix attention with convolutions, state spaces or linear attention."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import HYBRID, hybrid

import attnscope as ats
from reference import textbook

TEXT = "a c e g b d f h a c q r s"


@pytest.mark.parametrize("family", HYBRID)
def test_attention_gradient_starts_where_the_target_is_read(family: str) -> None:
    model = ats.Model(hybrid(family, sharp=2.0), copy_tokenizer())
    ids = model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    (target,) = model.tokenizer("b")["input_ids"]
    expected = textbook.chefer(model.model, {"input_ids": ids}, lambda logits: logits[-1].log_softmax(-1)[target])[-1]
    expected[-1] -= 1
    assert expected.max() > 0
    scores = torch.tensor(ats.explain(model, TEXT, method="attention_gradient", target="b").token_scores).float()
    torch.testing.assert_close(scores, expected, atol=1e-5 * float(expected.max()), rtol=1e-3)
