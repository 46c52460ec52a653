"""What a model is and which of its parts does what: its task, its body, its embedding layer."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.typed import (
    as_module,
    decoder_of,
    device_of,
    embedding_weight,
    input_embeddings,
    output_layer,
)


def accepted(module: nn.Module, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `inputs` that the module's forward names, without a cache of keys and values."""
    names = _named_by_forward(module)
    named = {name: value for name, value in inputs.items() if name in names}
    return named | ({"use_cache": False} if "use_cache" in names else {})


def _named_by_forward(module: nn.Module) -> Mapping[str, inspect.Parameter]:
    """The parameters of the module's forward; where somebody's wrapper hides them, `(*args, **kwargs)`, its class's."""
    parameters: Mapping[str, inspect.Parameter] = {}
    classes = (vars(cls)["forward"] for cls in type(module).__mro__ if "forward" in vars(cls))
    for forward in (module.forward, *classes):
        parameters = inspect.signature(forward).parameters
        if any(p.kind is p.POSITIONAL_OR_KEYWORD and name != "self" for name, p in parameters.items()):
            break
    return parameters


def configured(net: PreTrainedModel, name: str) -> int | None:
    """A number of the configuration; the largest, where layers differ in it; None where it is not stated.

    A configuration may state it as a list (Gemma 3n), or refuse to tell but layer by layer (EmbeddingGemma 2).
    """
    config = net.config.get_text_config()
    layers = list(config.per_layer_config) if getattr(config, "is_heterogeneous", False) else [config]
    stated = [getattr(layer, name, None) for layer in layers]
    numbers = [n for value in stated for n in (value if isinstance(value, list | tuple) else [value])]
    return max((number for number in numbers if isinstance(number, int)), default=None)


def is_encoder_decoder(net: PreTrainedModel) -> bool:
    """Whether the model has an encoder and a decoder."""
    return bool(getattr(net.config, "is_encoder_decoder", False))


def task_of(net: PreTrainedModel) -> str:
    """What the model predicts: "causal", "masked", "encoder-decoder", "classifier", "token classifier"; "" is nothing.

    A model with a language-model head that is none of the others predicts each token from those before it; but one of a
    masked family (XLM, or BertLMHeadModel without `is_decoder`) may read both ways, whatever it is called.
    """
    name = type(net).__name__
    if "SequenceClassification" in name:
        return "classifier"
    if "TokenClassification" in name:
        return "token classifier"
    if output_layer(net) is None:
        return ""
    if is_encoder_decoder(net):
        return "encoder-decoder"
    if "MaskedLM" in name:
        return "masked"
    of_masked_family = net.config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return "masked" if of_masked_family and _reads_both_ways(net) else "causal"


def _reads_both_ways(net: PreTrainedModel) -> bool:
    """Whether a token's output depends on the tokens after it; found out once a model, on four tokens."""
    facts = facts_of(net)
    if facts.both_ways is None:
        body, table = self_attention_body(net), embedding_weight(net)
        texts = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]], device=device_of(net)) % len(table)
        with unchanged(net), torch.no_grad():
            one, other = (body(**accepted(body, {"input_ids": text[None]}))[0][0, :-1] for text in texts)
        facts.both_ways = not torch.allclose(one, other, rtol=1e-4, atol=1e-6)
    return facts.both_ways


def self_attention_body(net: PreTrainedModel) -> nn.Module:
    """The part that reads the text: the encoder of an encoder–decoder, else the model without its head.

    The decoder of an encoder–decoder that stands alone (BartForCausalLM) is wrapped in a module that names no input.
    """
    body = net.get_encoder() if is_encoder_decoder(net) else net.base_model
    if "input_ids" not in inspect.signature(as_module(body).forward).parameters:
        body = decoder_of(net)
    return as_module(body)


def embedding_layer(net: PreTrainedModel) -> nn.Module:
    """The layer whose output is "the input embeddings" of the text. Raises ModelError where there is none."""
    body = self_attention_body(net)
    return input_embeddings(body if hasattr(body, "get_input_embeddings") else net)
