"""Many knock-outs of one text: in batches, and from the layer on where they begin."""

import pytest
import torch
import transformers as hf
from tiny_models import SIZE, hybrid, tiny

from attnscope.models.intervention import passes as module
from attnscope.models.intervention.knock_out import NOTHING, KnockOut, Site
from attnscope.models.intervention.passes import Passes
from attnscope.models.model_facts import facts_of
from attnscope.models.targets.readout import Readout

IDS = [3, 14, 7, 22, 9, 30, 5, 11]


def made(net: hf.PreTrainedModel, stack: str = "self") -> Passes:
    decoder = (0, 8, 13) if stack != "self" else ()
    readout = Readout({"input_ids": IDS}, (2, 1), (17, 5), (1, 1), "log_probability", decoder=decoder)
    inputs = {"input_ids": torch.tensor([IDS])} | ({"decoder_input_ids": torch.tensor([decoder])} if decoder else {})
    return Passes(Site.of(net, inputs, stack, layers=True), readout, at=2)


@pytest.mark.parametrize(
    ("family", "stack"),
    [
        *((name, "self") for name in ("llama", "gpt2", "gemma2", "bloom", "bert", "albert", "lfm2")),
        *(("t5", "encoder"), ("t5", "decoder"), ("t5", "cross"), ("bart", "cross")),
    ],
)
def test_a_pass_that_begins_at_a_layer_is_the_whole_pass(family: str, stack: str) -> None:
    net = hybrid(family) if family == "lfm2" else tiny(family)
    passes = made(net, stack)
    clean = passes.record(outputs=True)
    assert passes.site.layout is not None
    heads = passes.site.layout.heads_of(stack)
    layer = max(heads)
    texts = [NOTHING, *(KnockOut(heads={(layer, head): None}) for head in range(3))]
    texts.append(KnockOut(edges={layer: frozenset({(2, 0), (1, 1)})}))
    whole, begun = passes.without(texts), passes.without(texts, begins=layer)
    assert facts_of(net).begins_at_layer is True
    torch.testing.assert_close(begun.values, whole.values, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(begun.values[:1], clean.values, atol=1e-4, rtol=1e-4)
    assert begun.ranking is not None
    torch.testing.assert_close(begun.ranking, whole.ranking, atol=1e-4, rtol=1e-4)
    assert len({round(value, 5) for value in whole.values[:, 0].tolist()}) > 3


def test_a_trial_that_is_stopped_has_said_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of it: the next pass tries again."""
    net = tiny("llama")
    passes = made(net)
    passes.record(outputs=True)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Passes, "_without", stop)
        with pytest.raises(KeyboardInterrupt):
            passes.without([KnockOut(heads={(2, 0): None})], begins=2)
    assert facts_of(net).begins_at_layer is None


def test_batches_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = made(tiny("llama"))
    texts = [KnockOut(heads={(layer, head): None}) for layer in range(3) for head in range(4)]
    expected = passes.without(texts)
    monkeypatch.setattr(module, "BUDGET", 20)
    assert passes.at_once == 2
    torch.testing.assert_close(passes.without(texts).values, expected.values, atol=1e-5, rtol=0)


def test_a_model_whose_layers_look_further_down_runs_whole() -> None:
    """Gemma 4's last layers read the keys and values of an earlier one."""
    sizes = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "head_dim": 16, "global_head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_kv_shared_layers": 1}
    layers = {"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3, "hidden_size_per_layer_input": 8}
    torch.manual_seed(0)
    net = hf.Gemma4ForCausalLM(hf.Gemma4TextConfig(**sizes, **heads, **layers, vocab_size_per_layer_input=64)).eval()
    passes = made(net)
    clean = passes.record(outputs=True)
    texts = [NOTHING, KnockOut(heads={(2, 1): None})]
    found = passes.without(texts, begins=2)
    torch.testing.assert_close(found.values, passes.without(texts).values, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.values[:1], clean.values, atol=1e-4, rtol=0)


def test_a_label_has_its_logits_ranked() -> None:
    torch.manual_seed(0)
    net = hf.BertForSequenceClassification(hf.BertConfig(**SIZE, num_labels=3)).eval()
    readout = Readout({"input_ids": IDS}, (0,), (1,), (1,), "probability")
    passes = Passes(Site.of(net, {"input_ids": torch.tensor([IDS])}, "self"), readout, at=0)
    read = passes.record([1])
    assert read.ranking is not None
    assert float(read.ranking.exp().sum()) == pytest.approx(1)
    assert float(read.values) == pytest.approx(float(read.ranking[0, 1].exp()), abs=1e-5)
    assert passes.pools[1].shape == (8, 4, 8)
