"""What is learnt about a model is kept with it, and goes with it; and the few tokens it is learnt from."""

import gc
import weakref

import torch
from snapshot import forget_all
from tiny_models import tiny

from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.output_projection import output_projections
from attnscope.models.model_facts import AttentionLayout, facts_of, probe_inputs


def test_one_model_has_one_set_of_facts() -> None:
    net, other = tiny("llama"), tiny("llama")
    inputs = {"input_ids": torch.arange(3, 15)[None]}
    layout = attention_layout(net, inputs)
    projections = output_projections(net, inputs, "self")
    facts = facts_of(net)
    assert facts.layouts == {False: layout}
    assert facts.projections == {"self": projections}
    assert facts.reuses_prefix is None
    assert not facts_of(other).layouts


def test_facts_do_not_keep_a_model_alive() -> None:
    net = tiny("bloom")
    attention_layout(net, {"input_ids": torch.arange(3, 15)[None]})
    forget_all()
    alive = weakref.ref(net)
    del net
    gc.collect()
    assert alive() is None


def test_heads_by_stack() -> None:
    layout = AttentionLayout((("encoder", 0), ("decoder", 0), ("cross", 0), ("decoder", 1)), (4, 8, 2, 6))
    assert layout.heads_of("decoder") == [8, 6]
    assert layout.heads_of("self") == []


def test_probe_inputs_are_short_and_not_padding() -> None:
    ids = torch.arange(60).view(3, 20)
    mask = torch.zeros(3, 20, dtype=torch.long)
    short = probe_inputs({"input_ids": ids, "attention_mask": mask, "decoder_input_ids": ids})
    assert {name: tuple(value.shape) for name, value in short.items()} == {
        "input_ids": (1, 8),
        "attention_mask": (1, 8),
        "decoder_input_ids": (1, 5),
    }
    assert short["attention_mask"].all()
    assert probe_inputs({"decoder_input_ids": ids}, 2)["decoder_input_ids"].tolist() == [[0, 1]]
