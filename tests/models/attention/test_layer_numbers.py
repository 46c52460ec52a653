"""Which of the model's layers a call of attention is in, where not all of them attend."""

import pytest
import torch
from tiny_models import ENCODER_DECODER, FAMILIES, HYBRID, hybrid, tiny

from attnscope.models.attention.layout import attention_layout

IDS = {"input_ids": torch.arange(3, 11)[None], "decoder_input_ids": torch.arange(3, 8)[None]}


@pytest.mark.parametrize("family", HYBRID)
def test_the_models_own_numbers(family: str) -> None:
    net = hybrid(family)
    layout = attention_layout(net, IDS)
    attending, kinds = HYBRID[family][3], layout.kinds_of("self")
    assert list(layout.heads_of("self")) == attending
    assert len(kinds) == net.config.num_hidden_layers
    assert [i for i, kind in enumerate(kinds) if kind == "attention"] == attending


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_attend_they_are_counted_from_0(family: str) -> None:
    net = tiny(family)
    for stack in ("encoder", "decoder", "cross") if family in ENCODER_DECODER else ("self",):
        layout = attention_layout(net, IDS, stack)
        assert layout.heads_of(stack) == {0: 4, 1: 4, 2: 4}
        assert layout.kinds_of(stack) == ("attention",) * 3
        assert not layout.kinds
