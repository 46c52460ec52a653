"""What is learnt about a model is kept with it, and goes with it; and the few tokens it is learnt from."""

import copy
import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from planted import copy_tokenizer
from snapshot import forget_all, watch
from tiny_models import tiny
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models import model_facts
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.output_projection import output_projections
from attnscope.models.model_facts import AttentionLayout, facts_of, farthest_reach, probe_inputs, probe_tokens
from attnscope.models.thread_bound import attention_names_kept, name_attention


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
    assert layout.heads_of("decoder") == {0: 8, 1: 6}
    assert layout.heads_of("self") == {}


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


def test_a_trial_is_as_long_as_windows_and_top_k_ask() -> None:
    lengths = {name: probe_tokens(tiny(name)) for name in ("llama", "mistral", "modernbert")}
    assert lengths == {"llama": 8, "mistral": 8, "modernbert": 16}
    net = tiny("mistral")
    for window, tokens in ((8, 16), (12, 16), (60, 64), (64, 94), (4096, 8)):
        net.config.sliding_window = window
        assert probe_tokens(net) == tokens
    net.config.sliding_window = 5


def test_what_lies_beyond_a_trial_counts_for_texts_that_get_there() -> None:
    net = tiny("mistral")
    net.config.sliding_window = 4096
    assert [farthest_reach(net, tokens) for tokens in (40, 4096, 4100, 9000)] == [0, 0, 4100, 4104]
    net.config.sliding_window = 60  # which the trial reaches
    assert farthest_reach(net, 9000) == 0
    net.config.sliding_window = 5


def test_a_short_text_is_repeated_for_a_long_trial() -> None:
    ids = torch.tensor([[1, 5, 6]])
    short = probe_inputs({"input_ids": ids, "attention_mask": torch.ones_like(ids), "decoder_input_ids": ids}, 16)
    assert short["input_ids"].tolist() == [[1, 5, 6] * 5 + [1]]
    assert {name: value.shape[1] for name, value in short.items()} == {
        "input_ids": 16, "attention_mask": 16, "decoder_input_ids": 13,
    }  # fmt: skip
    assert probe_inputs({"input_ids": ids})["input_ids"].tolist() == ids.tolist()


def _new_layers(net: PreTrainedModel) -> None:
    for i, layer in enumerate(net.model.layers):
        net.model.layers[i] = copy.deepcopy(layer)
        with torch.no_grad():
            net.model.layers[i].self_attn.o_proj.weight.mul_(3)


def _trained(net: PreTrainedModel) -> None:
    net.train()
    ids = torch.arange(3, 20)[None]
    net(input_ids=ids, labels=ids).loss.backward()
    torch.optim.SGD(net.parameters(), 0.1).step()
    net.zero_grad()
    net.eval()


CHANGES: dict[str, Callable[[PreTrainedModel], object]] = {
    "trained": _trained,
    "new layers": _new_layers,
    "float64": lambda net: net.double(),
    "bfloat16": lambda net: net.bfloat16(),
    "eager": lambda net: net.set_attn_implementation("eager"),
    "fewer layers": lambda net: (net.model.layers.__delitem__(-1), setattr(net.config, "num_hidden_layers", 2)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_was_changed_is_another_model(change: str) -> None:
    """Between two calls it may be trained, cut, cast: the results are those of a model that was never seen before."""
    net = tiny("llama", 2.0)
    model = ats.Model(net, copy_tokenizer())
    methods = (
        "gradient",
        "gim",
        "deletion",
        "attention",
        "rollout",
        "attention_gradient",
        "value_norm",
        "value_zeroing",
    )
    before = [ats.explain(model, "a b c d", method, target=" g").to_json() for method in methods]
    CHANGES[change](net)
    watch(net)
    fresh = ats.Model(copy.deepcopy(net), copy_tokenizer())
    expected = [ats.explain(fresh, "a b c d", method, target=" g").to_json() for method in methods]
    assert [ats.explain(model, "a b c d", method, target=" g").to_json() for method in methods] == expected
    assert expected != before


def test_another_attention_function_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(module: object, query: Tensor, *args: object, **named: object) -> object:
        return sdpa_attention_forward(module, query * 2, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setitem(AttentionInterface._global_mapping, "doubled", doubled)
    monkeypatch.setitem(AttentionMaskInterface._global_mapping, "doubled", sdpa_mask)
    net = tiny("llama")
    ids = {"input_ids": torch.arange(3, 15)[None]}
    attention_layout(net, ids)
    net.set_attn_implementation("doubled")
    watch(net)
    with pytest.raises(ModelError, match="doubled"):
        attention_layout(net, ids)


def test_a_run_of_ours_is_no_other_model() -> None:
    """A run that asks for facts while it goes on must not try the model anew, through its own hooks."""
    net = tiny("bert")
    facts = facts_of(net)
    with attention_names_kept():
        name_attention(net.config, "eager")
        assert net.config._attn_implementation == "eager"
        assert facts_of(net) is facts
    assert facts_of(net) is facts


def _steered(net: PreTrainedModel) -> None:
    """As people do it: what is added to a layer is the same for the whole text, or for its last token."""
    net.model.layers[0].register_forward_hook(lambda _module, _args, output: output + 3 * output.mean(1, keepdim=True))


def _steered_at_the_end(net: PreTrainedModel) -> None:
    def add(_module: object, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        moved = args[0].clone()
        moved[:, -1] += torch.arange(moved.shape[-1]).sin()
        return (moved, *args[1:])

    net.model.layers[1].register_forward_pre_hook(add)


def _centred_logits(net: PreTrainedModel) -> None:
    forward = net.lm_head.forward
    net.lm_head.forward = lambda hidden: forward(hidden) - 2 * forward(hidden).mean(1, keepdim=True)


REWRITES = {"hook": _steered, "hook before": _steered_at_the_end, "forward": _centred_logits}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_model_that_runs_other_code_is_another_model(rewrite: str) -> None:
    """Padding, cached beginnings, a head apart from the body: what was found to do no harm may do some now."""
    texts = ["a b c d e f g h", "a b c x e"]
    net = tiny("llama", 2.0)
    model = ats.Model(net, copy_tokenizer())
    methods = ("gradient", "gim", "deletion", "attention")

    def scores(of: ats.Model) -> list[str]:
        return [str(result.to_json()) for name in methods for result in ats.explain(of, texts, name, target=" g")]

    before = scores(model)
    REWRITES[rewrite](net)
    watch(net)
    forget_all()
    expected = scores(ats.Model(copy.deepcopy(net), copy_tokenizer()))
    assert scores(model) == expected != before
    net.model.layers[0]._forward_hooks.clear()
    net.model.layers[1]._forward_pre_hooks.clear()
    vars(net.lm_head).pop("forward", None)
    watch(net)
    assert scores(model) == before


def test_an_attention_function_under_the_same_name_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(module: object, query: Tensor, *args: object, **named: object) -> object:
        return sdpa_attention_forward(module, query * 2, *args, **named)  # type: ignore[arg-type]

    net = tiny("llama")
    ids = {"input_ids": torch.arange(3, 15)[None]}
    attention_layout(net, ids)
    monkeypatch.setitem(AttentionInterface._global_mapping, "sdpa", doubled)
    with pytest.raises(ModelError, match="does not return what its attention weights make"):
        attention_layout(net, ids)


def test_a_module_that_no_longer_says_that_it_is_causal_is_tried_anew() -> None:
    net = tiny("llama")
    ids = {"input_ids": torch.arange(3, 15)[None]}
    attention_layout(net, ids)
    for layer in net.model.layers:
        layer.self_attn.is_causal = False
    with pytest.raises(ModelError, match="differs from the model's own eager attention"):
        attention_layout(net, ids)


@pytest.mark.parametrize("family", ["bert", "bloom"])
@pytest.mark.parametrize(
    "method", ["attention", "gradient", "rollout", "attention_gradient", "value_norm", "deletion", "gim"]
)
def test_what_was_learnt_is_not_learnt_again(family: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ats.Model(tiny(family), copy_tokenizer())
    model.model.base_model.register_forward_hook(lambda *_: None)  # the user's, which stays
    watch(model.model)
    ats.explain(model, "a b c d e f", method=method)
    facts = facts_of(model.model)
    monkeypatch.setattr(model_facts, "ModelFacts", None)
    ats.explain(model, "a b c d e f", method=method)
    assert facts_of(model.model) is facts
