"""What people hand over in place of a model: the numbers are those of the model inside, which comes back as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import accelerate
import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import forget_all, watch
from tiny_models import tiny
from torch import nn

import attnscope as ats
from attnscope.errors import ModelError
from reference.every_number import LOOSE, SAME, assert_same, numbers

TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


def _compiled_in_place(net: Any) -> Any:
    net.compile(backend="eager")
    return net


def _compiled_forward(net: Any) -> Any:
    net.forward = torch.compile(net.forward, backend="eager")
    return net


def _compiled_layers(net: Any) -> Any:
    for i, layer in enumerate(net.model.layers):
        net.model.layers[i] = torch.compile(layer, backend="eager")
    return net


def _hidden_signature(net: Any) -> Any:
    for module in (net, net.model):
        forward = module.forward
        module.forward = lambda *args, forward=forward, **kwargs: forward(*args, **kwargs)
    return net


WRAPPED: dict[str, Callable[[Any], Any]] = {
    "a pair": lambda net: (net, copy_tokenizer()),
    "a swapped pair": lambda net: [copy_tokenizer(), net],
    "DataParallel": lambda net: (nn.DataParallel(net), copy_tokenizer()),
    "compiled": lambda net: (torch.compile(net, backend="eager"), copy_tokenizer()),
    "compiled in place": lambda net: (_compiled_in_place(net), copy_tokenizer()),
    "compiled forward": lambda net: (_compiled_forward(net), copy_tokenizer()),
    "compiled layers": lambda net: (_compiled_layers(net), copy_tokenizer()),
    "(*args, **kwargs)": lambda net: (_hidden_signature(net), copy_tokenizer()),
    "a pipeline": lambda net: hf.pipeline("text-generation", model=net, tokenizer=copy_tokenizer()),
}


@pytest.fixture(scope="module")
def plain() -> dict[str, np.ndarray]:
    return numbers(ats.Model(tiny("llama"), copy_tokenizer()))


@pytest.mark.filterwarnings("ignore")  # of torch, as it compiles
@pytest.mark.parametrize("what", WRAPPED)
def test_the_numbers_are_those_of_the_model_inside(what: str, plain: dict[str, np.ndarray]) -> None:
    net = tiny("llama")
    wrapped = WRAPPED[what](net)
    forget_all()  # a pipeline pads on the left, a compiled model has other modules
    if "compiled" in what:  # it has run as such before
        (net if "in place" in what or "forward" in what or "layers" in what else wrapped[0])(torch.tensor([[3, 4, 5]]))
    watch(net)
    model = ats.load(wrapped)
    assert model.model is net
    assert_same(numbers(model), plain, SAME)


@pytest.mark.parametrize("how", ["cpu", "disk", "cpu and disk"])
def test_weights_that_are_kept_elsewhere(how: str, plain: dict[str, np.ndarray], tmp_path: Path) -> None:
    net = tiny("llama")
    if how == "cpu":
        accelerate.cpu_offload(net, torch.device("cpu"))
    elif how == "disk":
        accelerate.disk_offload(net, str(tmp_path), torch.device("cpu"))
    else:
        places = {name: "disk" if i % 2 else "cpu" for i, name in enumerate(_leaves(net))}
        accelerate.dispatch_model(net, places, main_device="cpu", offload_dir=str(tmp_path))
    forget_all()  # parameters that are brought and taken away are other objects each time
    model = ats.Model(net, copy_tokenizer())
    assert_same(numbers(model), plain, LOOSE)
    trainable = [parameter.requires_grad for parameter in net.parameters()]
    assert trainable == [True] * len(trainable)
    assert all("_hf_hook" in vars(module) for module in net.modules() if module._parameters)
    devices = ats.attention(model, "a b c").provenance["device"]
    assert devices == ("cpu, disk" if how == "cpu and disk" else "cpu")


def _leaves(net: nn.Module) -> list[str]:
    return [name for name, module in net.named_modules() if name and not list(module.children())]


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5", "bloom", "gemma2"])
def test_weights_that_are_kept_elsewhere_in_other_families(family: str) -> None:
    expected = numbers(ats.Model(tiny(family), copy_tokenizer()), ("attention", "gradient", "value_norm", "gim"))
    net = tiny(family)
    accelerate.cpu_offload(net, torch.device("cpu"))
    forget_all()
    assert_same(numbers(ats.Model(net, copy_tokenizer()), tuple(expected)), expected, LOOSE)


def test_a_sentence_transformer_and_a_cross_encoder(minilm: ats.Model, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder, SentenceTransformer

    text = "The castle on the hill"
    given = SentenceTransformer(minilm.name, device="cpu")
    before = given.encode(text)
    assert_same(numbers(ats.load(given), text=text), numbers(minilm, text=text), SAME)
    assert (given.encode(text) == before).all()
    prompted = SentenceTransformer(minilm.name, device="cpu", prompts={"query": "query: "}, default_prompt_name="query")
    with pytest.raises(ModelError, match=r"puts 'query: ' before every text: pass attnscope\.Model\("):
        ats.load(prompted)
    folder = _classifier(tmp_path)
    assert_same(numbers(ats.load(CrossEncoder(folder, device="cpu"))), numbers(ats.load(folder)), SAME)


def test_a_pipeline_of_a_classifier(tmp_path: Path) -> None:
    folder = _classifier(tmp_path)
    pipeline = hf.pipeline("text-classification", model=folder, device="cpu")
    forget_all()
    assert_same(numbers(ats.load(pipeline)), numbers(ats.load(folder)), SAME)
    prefixed = hf.pipeline("text-generation", model=tiny("llama"), tokenizer=copy_tokenizer(), prefix="a b")
    forget_all()
    with pytest.raises(ModelError, match="this pipeline puts 'a b' before every text"):
        ats.load(prefixed)


def _classifier(folder: Path) -> str:
    torch.manual_seed(0)
    hf.BertForSequenceClassification(hf.BertConfig(**TINY, num_labels=1)).save_pretrained(folder)
    copy_tokenizer().save_pretrained(folder)
    forget_all()
    return str(folder)


class Own(nn.Module):
    """Somebody's module around a model."""

    def __init__(self) -> None:
        super().__init__()
        self.net = tiny("llama")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "attnscope takes a hub id, .*, not list"),
        (3, "attnscope takes a hub id, .*, not int"),
        ({"model": 1}, "not dict"),
        (nn.Linear(2, 2), "not Linear"),
        (hf.LlamaForCausalLM, "not type"),
        (copy_tokenizer(), r"the model comes first: attnscope\.Model\(model, tokenizer\)"),
        (tiny("llama"), r"needs the tokenizer too: pass attnscope\.Model\(model, tokenizer\)"),
        (nn.DataParallel(tiny("llama")), r"DataParallel comes without a tokenizer"),
        (Own(), r"not Own: pass attnscope\.Model\(x\.net, tokenizer\)"),
        ((Own(), copy_tokenizer()), r"with Own inside\): pass attnscope\.Model\(x\.net, tokenizer\)"),
    ],
)
def test_anything_else_is_one_line_that_says_what_to_pass(given: object, says: str) -> None:
    with pytest.raises(ModelError, match=says) as error:
        ats.load(given)
    assert "\n" not in str(error.value)
    with pytest.raises(ModelError):
        ats.explain(given, "a b c")  # type: ignore[call-overload]
