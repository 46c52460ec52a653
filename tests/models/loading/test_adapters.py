"""A model with its adapter and without it: two models, each with its own numbers, around the same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from peft import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
)
from planted import copy_tokenizer
from snapshot import forget_all, watch
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import ModelError
from reference.every_number import LOOSE, assert_other, assert_same, numbers

# Of PEFT and torch, about what they are given.
pytestmark = pytest.mark.filterwarnings("ignore")

TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
TRAINED = ("lora_", "ia3", "trainable_tokens", "modules_to_save")
ADAPTERS = {
    "everywhere, in training": (
        "llama",
        LoraConfig(r=4, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "down_proj"], lora_dropout=0.5),
    ),
    "embeddings and head": ("llama", LoraConfig(r=4, target_modules=["q_proj", "o_proj", "lm_head", "embed_tokens"])),
    "a head of its own": ("llama", LoraConfig(r=4, target_modules=["o_proj"], modules_to_save=["lm_head"])),
    "DoRA": ("llama", LoraConfig(r=4, target_modules=["v_proj", "o_proj"], use_dora=True)),
    "tokens": ("llama", LoraConfig(r=4, target_modules=["o_proj"], trainable_token_indices=[3, 4])),
    "IA3": ("llama", IA3Config(target_modules=["k_proj", "o_proj"], feedforward_modules=[])),
    "Conv1D": ("gpt2", LoraConfig(r=4, target_modules=["c_attn", "c_proj"])),
    "hooked": ("bloom", LoraConfig(r=4, target_modules=["query_key_value", "dense"])),
}


def peft_model(family: str, config: PeftConfig, name: str = "default") -> Any:
    return trained(get_peft_model(tiny(family), config, adapter_name=name))


def trained(model: Any) -> Any:
    """With numbers in its adapters, which begin as nothing."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(part in name for part in TRAINED):
                parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    watch(model.get_base_model())
    return model


@pytest.mark.parametrize("what", ADAPTERS)
def test_on_is_the_merged_model_and_off_the_base_model(what: str) -> None:
    family, config = ADAPTERS[what]
    few = ("attention", "value_norm", "gradient", "gim", "deletion")
    model = peft_model(family, config)
    model.train()
    watch(model.get_base_model())
    on = numbers(ats.Model(model, copy_tokenizer()), few)
    off = numbers(ats.load((model, copy_tokenizer()), adapter=False), few)
    assert_same(off, numbers(ats.Model(tiny(family), copy_tokenizer()), few), LOOSE)
    assert_other(on, off)
    with model.disable_adapter():
        assert_same(numbers(ats.Model(model, copy_tokenizer()), few), off, LOOSE)
    assert model.training
    merged = peft_model(family, config).eval().merge_and_unload()
    forget_all()
    assert_same(on, numbers(ats.Model(merged, copy_tokenizer()), few), 1e-4)


def test_the_two_sides_of_compare() -> None:
    model = peft_model("llama", LoraConfig(r=4, target_modules=["v_proj", "o_proj"]), name="french")
    on, off = ats.Model(model, copy_tokenizer()), ats.Model(model, copy_tokenizer(), adapter=False)
    pair = ats.compare(on, "a b c d", other=off)
    assert (pair.left.name, pair.right.name) == ("LlamaForCausalLM + french", "LlamaForCausalLM")
    assert (pair.left.result.provenance["adapters"], pair.right.result.provenance["adapters"]) == ("french", None)
    assert abs(pair.left.result.scores - pair.right.result.scores).max() > 1e-3
    own = {id(parameter) for parameter in on.model.parameters()}
    assert all(id(parameter) in own for parameter in off.model.parameters())  # no second copy of the weights


def test_one_of_several_adapters() -> None:
    model = peft_model("llama", LoraConfig(r=4, target_modules=["q_proj", "o_proj"]), name="one")
    model.add_adapter("two", LoraConfig(r=2, target_modules=["v_proj", "o_proj"]))
    trained(model)
    trainable = [parameter.requires_grad for parameter in model.parameters()]
    one = numbers(ats.Model(model, copy_tokenizer()))
    chosen = ats.Model(model, copy_tokenizer(), adapter="two")
    two = numbers(chosen)
    assert chosen.name == "LlamaForCausalLM + two"
    assert_other(one, two)
    assert trainable == [parameter.requires_grad for parameter in model.parameters()]
    assert_same(numbers(ats.Model(model, copy_tokenizer())), one, LOOSE)
    model.set_adapter("two")
    watch(model.get_base_model())
    assert_same(numbers(ats.Model(model, copy_tokenizer())), two, LOOSE)
    with pytest.raises(ModelError, match="no adapter 'three': it has one, two"):
        ats.Model(model, copy_tokenizer(), adapter="three")
    model.merge_adapter()
    watch(model.get_base_model())
    assert ats.Model(model, copy_tokenizer()).name.endswith("+ two")
    with pytest.raises(ModelError, match="merged into the weights"):
        ats.Model(model, copy_tokenizer(), adapter=False)


def test_an_adapter_that_comes_later_is_seen() -> None:
    """What was learnt about the model before is not true of it any more."""
    net = tiny("llama")
    before = numbers(ats.Model(net, copy_tokenizer()), ("value_norm",))
    model = trained(get_peft_model(net, LoraConfig(r=4, target_modules=["o_proj"])))
    after = numbers(ats.Model(net, copy_tokenizer()), ("value_norm",))
    assert_other(after, before)
    forget_all()
    assert_same(after, numbers(ats.Model(model.merge_and_unload(), copy_tokenizer()), ("value_norm",)), 1e-4)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3), ""),
        (PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3), ""),
        (
            LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], alora_invocation_tokens=[5, 6]),
            "starts at an invocation in the text",
        ),
    ],
)
def test_an_adapter_outside_the_layers_is_refused(config: PeftConfig, why: str) -> None:
    with pytest.raises(ModelError, match=rf"more than change the layers of LlamaForCausalLM.*{why}.*the base model"):
        ats.Model(peft_model("llama", config), copy_tokenizer())


def test_an_adapter_folder(tmp_path: Path) -> None:
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    copy_tokenizer().save_pretrained(tmp_path / "base")
    model = trained(get_peft_model(net, LoraConfig(r=4, target_modules=["q_proj", "o_proj"])))
    model.peft_config["default"].base_model_name_or_path = str(tmp_path / "base")
    model.save_pretrained(tmp_path / "french.v2")
    on, off = ats.load(tmp_path / "french.v2"), ats.load(str(tmp_path / "french.v2"), adapter=False)
    assert_same(numbers(on), numbers(ats.Model(model, copy_tokenizer())), LOOSE)
    assert_same(numbers(off), numbers(ats.load(tmp_path / "base")), LOOSE)
    assert (on.name, off.name) == (f"{tmp_path / 'base'} + french_v2", str(tmp_path / "base"))
    assert ats.attention(on, "a b c").provenance["adapters"] == "french_v2"
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"french\.v2 is an adapter of the model '.*base', which cannot be loaded"):
        ats.load(tmp_path / "french.v2")


def test_an_adapter_folder_with_a_head_of_its_own(tmp_path: Path) -> None:
    """The base has no head; without the adapter's it would be random."""
    hf.BertModel(hf.BertConfig(**TINY)).save_pretrained(tmp_path / "base")
    copy_tokenizer().save_pretrained(tmp_path / "base")
    net = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path / "base", num_labels=3)
    model = trained(get_peft_model(net, LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query"]))).eval()
    forget_all()
    model.save_pretrained(tmp_path / "adapter")
    loaded = ats.load(tmp_path / "adapter")
    assert loaded.model.config.num_labels == 3
    assert_same(numbers(loaded), numbers(ats.Model(model, copy_tokenizer())), LOOSE)
    with pytest.raises(ModelError, match="no trained weights for classifier"):
        ats.load(tmp_path / "adapter", adapter=False)


def test_a_peft_model_loaded_by_peft(tmp_path: Path) -> None:
    model = peft_model("llama", LoraConfig(r=4, target_modules=["o_proj"]))
    few = ("attention", "gradient", "value_norm")
    expected = numbers(ats.Model(model, copy_tokenizer()), few)
    model.save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(tiny("llama"), tmp_path)
    forget_all()
    assert_same(numbers(ats.load((loaded, copy_tokenizer())), few), expected, LOOSE)
