"""Heads, edges and layers taken away: against a copy of the model that is edited by hand."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers as hf
from tiny_models import CAUSAL, ENCODER_DECODER, HYBRID, MASKED, hybrid, tiny
from torch import Tensor

from attnscope.errors import ModelError, NoAttentionError
from attnscope.models.intervention.knock_out import NOTHING, KnockOut, Site
from attnscope.models.intervention.passes import Passes
from attnscope.models.model_facts import facts_of
from attnscope.models.targets.readout import Readout
from reference.eager import eager_copy
from reference.knocked_out import NAMES, edges_cut, given_to_projection, logits, without_heads, without_layer

IDS = [3, 14, 7, 22, 9, 30, 5, 11]
DECODER = [0, 8, 13, 21]
TOKEN = 17
FAMILIES = [name for name in (*CAUSAL, *MASKED) if name in NAMES]
STACKS = [(name, stack) for name in ENCODER_DECODER for stack in ("encoder", "decoder", "cross")]


def passes_of(net: hf.PreTrainedModel, stack: str = "self", *, layers: bool = False, at: int = -2) -> Passes:
    """The logit of one token near the end, of a text of eight."""
    decoder = tuple(DECODER) if stack != "self" else ()
    place = at % len(decoder or IDS)
    readout = Readout({"input_ids": IDS}, (place,), (TOKEN,), (1,), "logit", decoder=decoder)
    return Passes(Site.of(net, inputs_of(stack), stack, layers=layers), readout)


def inputs_of(stack: str) -> dict[str, Tensor]:
    inputs = {"input_ids": torch.tensor([IDS])}
    return inputs | ({"decoder_input_ids": torch.tensor([DECODER])} if stack != "self" else {})


def value(passes: Passes, text: KnockOut, skipped: frozenset[int] = frozenset()) -> float:
    """What the passes give beside another text that loses nothing; and that one is as the model has it."""
    read = passes.without([NOTHING, text], skipped).values[:, 0].tolist()
    if not skipped:
        assert read[0] == pytest.approx(passes.record().values.item(), abs=1e-4)
    return read[1]


def close(found: float, expected: Tensor, unchanged: Tensor) -> None:
    """To a hundredth of the change, which is no rounding."""
    change = abs(float(expected) - float(unchanged))
    assert change > 3e-5, "this case could not tell"
    assert abs(found - float(expected)) < 0.01 * change + 1e-5


def _case(name: str, stack: str) -> tuple[hf.PreTrainedModel, str]:
    """The model, and its name among the edited ones."""
    return hybrid(name) if name in HYBRID else tiny(name), name if stack == "self" else f"{name} {stack}"


@pytest.mark.parametrize(("name", "stack"), [*((name, "self") for name in [*FAMILIES, "qwen3_next", "lfm2"]), *STACKS])
def test_a_head_is_its_slice_before_the_projection(name: str, stack: str) -> None:
    net, edited = _case(name, stack)
    layers = HYBRID[name][3] if name in HYBRID else [0, 2]
    heads = [(layers[0], 1), (layers[-1], 3)]
    passes = passes_of(net, stack)
    inputs, place = inputs_of(stack), passes.readout.positions[0]
    before = logits(net, inputs)[place, TOKEN]
    found = value(passes, KnockOut(heads=dict.fromkeys(heads)))
    close(found, logits(without_heads(net, edited, heads, 4), inputs)[place, TOKEN], before)
    # What stands in its place is given, and the mean of its own outputs is one such thing.
    layer, head = heads[0]
    given = given_to_projection(net, edited, layer, inputs)
    mean = given.view(len(given), 4, -1)[:, head].mean(0)
    passes.record([layer])
    torch.testing.assert_close(passes.pools[layer].flatten(1), given, atol=1e-4, rtol=1e-3)
    found = value(passes, KnockOut(heads={(layer, head): passes.pools[layer][:, head].mean(0, keepdim=True)}))
    close(found, logits(without_heads(net, edited, [(layer, head)], 4, mean), inputs)[place, TOKEN], before)


@pytest.mark.parametrize("renormalise", [True, False])
@pytest.mark.parametrize(("name", "stack"), [*((name, "self") for name in FAMILIES), *STACKS])
def test_an_edge_has_no_score(name: str, stack: str, renormalise: bool) -> None:
    net = tiny(name)
    passes = passes_of(net, stack)
    queries = len(IDS) if stack in ("self", "encoder") else len(DECODER)
    place = passes.readout.positions[0]
    # The second layer is left alone. The query at 0 has but itself to look at, in a causal model.
    edges = frozenset({(place % queries, 1), (place % queries, 2), (queries - 2, 0), (0, 0)})
    knock_out = KnockOut(edges={0: edges, 2: edges}, renormalise=renormalise)
    inputs = inputs_of(stack)
    calls = {"self": (0, 2), "encoder": (0, 2), "decoder": (3, 7), "cross": (4, 8)}[stack]
    copy = eager_copy(net)
    with edges_cut({len(IDS), len(DECODER)} if stack != "self" else {len(IDS)}, edges, calls, renormalise=renormalise):
        expected = logits(copy, inputs)[place, TOKEN]
    close(value(passes, knock_out), expected, logits(net, inputs)[place, TOKEN])


@pytest.mark.parametrize(
    ("name", "stack"),
    [
        *((name, "self") for name in ("llama", "gpt2", "gemma2", "bloom", "bert", "deberta_v2")),
        *((name, stack) for name, stack in STACKS if stack != "cross"),
    ],
)
def test_a_skipped_layer_is_a_layer_less(name: str, stack: str) -> None:
    net, edited = _case(name, stack)
    passes = passes_of(net, stack, layers=True)
    inputs, place = inputs_of(stack), passes.readout.positions[0]
    found = value(passes, NOTHING, frozenset({1}))
    close(found, logits(without_layer(net, edited, 1), inputs)[place, TOKEN], logits(net, inputs)[place, TOKEN])


def test_layers_that_are_one_module_are_told_apart_by_their_turn() -> None:
    """ALBERT runs one layer three times."""
    net = tiny("albert")
    passes = passes_of(net, layers=True)
    shorter = deepcopy(net)
    shorter.config.num_hidden_layers = 2
    expected = logits(shorter, inputs_of("self"))[6, TOKEN]
    for layer in range(3):
        assert value(passes, NOTHING, frozenset({layer})) == pytest.approx(float(expected), abs=1e-4)
    one, two = (value(passes, KnockOut(heads={(layer, 1): None})) for layer in (0, 2))
    assert abs(one - two) > 1e-3


@pytest.mark.parametrize("name", ["jamba", "qwen3_next", "lfm2"])
def test_a_layer_without_attention_is_skipped_as_any(name: str) -> None:
    net = hybrid(name)
    passes = passes_of(net, layers=True)
    assert len(passes.site.layers) == net.config.num_hidden_layers
    assert abs(value(passes, NOTHING, frozenset({0})) - passes.record().values.item()) > 1e-3


def test_a_model_without_attention_loses_whole_layers_only() -> None:
    torch.manual_seed(0)
    net = hf.MambaForCausalLM(hf.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=3, state_size=4)).eval()
    with pytest.raises(NoAttentionError, match="Mamba"):
        passes_of(net)
    site = Site.of(net, inputs_of("self"), "self", attention=False, layers=True)
    passes = Passes(site, Readout({"input_ids": IDS}, (6,), (TOKEN,), (1,), "logit"))
    found = value(passes, NOTHING, frozenset({1}))
    before = logits(net, inputs_of("self"))[6, TOKEN]
    close(found, logits(without_layer(net, "mamba", 1), inputs_of("self"))[6, TOKEN], before)


def test_values_that_are_multiplied_unseen_are_refused() -> None:
    net: Any = tiny("llama")
    site = Site.of(net, inputs_of("self"), "self")
    assert site.layout is not None
    facts_of(net).layouts[False] = replace(site.layout, values=False)
    with pytest.raises(ModelError, match="whole layers or words"):
        Site.of(net, inputs_of("self"), "self")
