"""What a model is and which of its parts does what: its task, its body, its embedding layer."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from attnscope.errors import AttnscopeError, ModelError
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.quantisation import quantisation_of
from attnscope.models.thread_bound import here_only, undone_by
from attnscope.models.typed import (
    as_module,
    decoder_of,
    device_of,
    embedding_weight,
    input_embeddings,
    output_layer,
)


def accepted(module: nn.Module, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `inputs` that the module's forward names, without a cache of keys and values.

    A multiple choice takes (batch, choice, token): each text is a choice by itself.
    """
    names = _named_by_forward(module)
    named = {name: value for name, value in inputs.items() if name in names}
    if "MultipleChoice" in type(module).__name__:
        named = {name: value[:, None] if isinstance(value, Tensor) else value for name, value in named.items()}
    return named | ({"use_cache": False} if "use_cache" in names else {})


def cache_argument(module: nn.Module) -> str:
    """What the module's forward calls a cache of keys and values: `cache` from transformers 5.24 on."""
    return "cache" if "cache" in _named_by_forward(module) else "past_key_values"


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
    """Whether the model has an encoder and a decoder; UMT5ForTokenClassification has a configuration for both alone."""
    stated = bool(getattr(net.config, "is_encoder_decoder", False))
    return stated and decoder_of(net) not in (net, net.base_model)


def task_of(net: PreTrainedModel) -> str:
    """What the model predicts: "causal", "masked", "encoder-decoder", "classifier", "token classifier", "answer"; "" is
    nothing.

    "answer" is where in a text the answer to a question begins and ends. The choices of a multiple choice are read one
    at a time, each with a number of its own, as by a classifier with one output.

    A model with a language-model head that is none of the others predicts each token from those before it; but one of a
    masked family (XLM, or BertLMHeadModel without `is_decoder`) may read both ways, whatever it is called.
    """
    name = type(net).__name__
    if "SequenceClassification" in name or "MultipleChoice" in name:
        return "classifier"
    if "QuestionAnswering" in name:
        return "answer"
    if "TokenClassification" in name:
        return "token classifier"
    if output_layer(net) is None:
        return ""
    if is_encoder_decoder(net):
        return "encoder-decoder"
    if "MaskedLM" in name:
        return "masked"
    of_masked_family = net.config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return "masked" if of_masked_family and reads_ahead(net) else "causal"


def reads_ahead(net: PreTrainedModel) -> bool:
    """Whether what a model predicts at a token depends on the tokens after it; tried once a model, on four tokens.

    It may depend on which they are, or on how many (ProphetNet). Raises ModelError as `check_chance`, by trying.
    """
    facts = facts_of(net)
    if facts.both_ways is None:
        table = embedding_weight(net)
        texts = ([5, 6, 7, 8], [5, 6, 7, 9], [5, 6, 7, 8], [5, 6, 7])
        given = [torch.tensor([text], device=device_of(net)) % len(table) for text in texts]
        with unchanged(net), torch.no_grad(), errors_named(net):
            one, other, again, short = (net(**accepted(net, {"input_ids": ids})).logits[0, :3] for ids in given)
        if not _equal(one, again):
            raise by_chance(net)
        # What goes through quantised layers may be rounded by its largest number, which may be a later token's.
        exact = quantisation_of(net) is None
        facts.both_ways = not _equal(one, other, 1e-3 if exact else 0.1) or (exact and depends_on_length(one, short))
    return facts.both_ways


def depends_on_length(whole: Tensor, short: Tensor) -> bool:
    """Whether every token's numbers (token, number) are others in a longer text than in the shorter one it begins with.

    By more than rounding: half precision rounds other lengths otherwise, which may move a token to another expert.
    """
    share = 1e-3 if whole.dtype in (torch.float32, torch.float64) else 0.1
    return not any(_equal(one, other, share) for one, other in zip(whole, short, strict=False))


def check_chance(net: PreTrainedModel) -> None:
    """Raises ModelError for a model that gives other numbers for the same text each time.

    Reformer draws its hash buckets anew for what is longer than a chunk, and YOSO where it does not take expectations.
    """
    config = net.config
    hashes = "lsh" in (getattr(config, "attn_layers", None) or ()) and getattr(config, "hash_seed", None) is None
    if hashes or getattr(config, "use_expectation", True) is False:
        raise by_chance(net)


def by_chance(net: PreTrainedModel) -> ModelError:
    """The error of a model that gives other numbers for the same text each time."""
    return ModelError(
        f"{type(net).__name__} gives other numbers for the same text each time, so that nothing can be compared with "
        "it: take the chance out of its configuration (Reformer: hash_seed; YOSO: use_expectation)"
    )


def _equal(one: Tensor, other: Tensor, share: float = 1e-3) -> bool:
    """Up to a share of the largest, a thousandth for ProphetNet's mask; what is no number differs from none."""
    return not bool((one - other).abs().max() > share * one.abs().max())


@contextmanager
def errors_named(net: PreTrainedModel) -> Iterator[None]:
    """What the model's own code raises becomes a ModelError: it may need more than a text, such as a picture."""
    try:
        yield
    except AttnscopeError:
        raise
    except (AssertionError, AttributeError, IndexError, NotImplementedError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"{type(net).__name__} does not run on this text alone: {reason}") from error


def self_attention_body(net: PreTrainedModel) -> nn.Module:
    """The part that reads the text: the encoder of an encoder–decoder, else the model without its head.

    The decoder of an encoder–decoder that stands alone (BartForCausalLM) is wrapped in a module that names no input.
    """
    body = net.get_encoder() if is_encoder_decoder(net) else net.base_model
    if "input_ids" not in _named_by_forward(as_module(body)):
        body = decoder_of(net)
    return as_module(body)


def embedding_layer(net: PreTrainedModel) -> nn.Module:
    """The layer whose output is "the input embeddings" of the text. Raises ModelError where there is none."""
    body = self_attention_body(net)
    # T5's encoder alone has an embedding layer that it names, and one of the stack in it that it calls. An encoder of
    # sound or pictures reads no text.
    stack = getattr(body, "encoder", None)
    if isinstance(stack, PreTrainedModel) and "input_ids" in _named_by_forward(stack) and not is_encoder_decoder(net):
        body = stack
    layers = [input_embeddings(body if hasattr(body, "get_input_embeddings") else net)]
    if is_encoder_decoder(net) and hasattr(net, "get_input_embeddings"):
        layers.append(net.get_input_embeddings())
    return layers[0] if layers[0] is layers[-1] else layers[_called(net, layers)]


def _called(net: PreTrainedModel, layers: Sequence[nn.Module]) -> int:
    """Which of the layers embeds the text: T5's is its encoder's, Florence-2's the whole model's. Tried once."""
    facts = facts_of(net)
    if facts.embeds is None:
        called: list[int] = []
        ids = torch.tensor([[0, 1, 2, 3]], device=device_of(net))
        with ExitStack() as stack:
            stack.enter_context(unchanged(net))
            stack.enter_context(torch.no_grad())
            for number, layer in enumerate(layers):
                handle = layer.register_forward_pre_hook(here_only(lambda *_, number=number: called.append(number)))
                stack.enter_context(undone_by(handle.remove))
            try:
                with errors_named(net):
                    net(**accepted(net, {"input_ids": ids, "decoder_input_ids": ids}))
            except ModelError:
                # A head that wants an end token, of which these ids have none, comes after the embedding.
                if not called:
                    raise
        facts.embeds = called[0] if called else 0
    return facts.embeds


def decoder_embeddings(net: PreTrainedModel) -> list[nn.Module]:
    """The layer that embeds what a decoder reads; none where there is no decoder."""
    decoder = decoder_of(net)
    return [as_module(decoder.get_input_embeddings())] if isinstance(decoder, PreTrainedModel) else []
