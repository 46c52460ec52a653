"""What people hand over in place of a transformers model: another library's object around one, or several.

Each is taken off, down to the PreTrainedModel that does the work, and a tokenizer that is found on the way is kept.
What would change the model's input or output where attnscope cannot see it (virtual tokens, a prompt put before every
text) is refused: without it, another model would be explained.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, is_encoder_decoder
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.adapters import of_peft, peft_kind
from attnscope.models.typed import device_of, embedding_weight

_ASKED = (
    "a hub id, a folder, a .gguf file, a transformers model with its tokenizer, a pipeline, a PeftModel or a "
    "SentenceTransformer"
)


def taken_off(given: object, tokenizer: object = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The transformers model inside `given`, and the tokenizer: the one given, else the one found on the way.

    Raises ModelError where either is missing, or where what is around the model changes what it computes.
    """
    outermost, around = given, []
    while not isinstance(given, PreTrainedModel):
        inside = _inside(given)
        if inside is None:
            raise ModelError(_no_model(outermost, given))
        if of_peft(given):
            around.append(given)
        given, found = inside
        tokenizer = found if tokenizer is None else tokenizer
    for wrapper in around:
        _check_adds_nothing(wrapper, given)
    if isinstance(tokenizer, ProcessorMixin):
        tokenizer = getattr(tokenizer, "tokenizer", None)
    if tokenizer is None:
        raise ModelError(
            f"{type(outermost).__name__} comes without a tokenizer, and attnscope needs the tokenizer too: pass "
            "attnscope.Model(model, tokenizer)"
        )
    if not callable(tokenizer) or isinstance(tokenizer, nn.Module):
        raise ModelError(f"attnscope.Model takes a transformers tokenizer, not {type(tokenizer).__name__}")
    return given, tokenizer  # type: ignore[return-value]  # a tokenizer of one's own only has to be callable


def _inside(given: object) -> tuple[object, object] | None:
    """What is one layer further in, and the tokenizer that comes with it; None where there is nothing inside."""
    if isinstance(given, tuple | list) and len(given) == 2:
        return next(
            ((one, other) for one, other in (given, given[::-1]) if isinstance(other, _TOKENIZERS)), None
        )  # in either order
    if "FullyShardedDataParallel" in _names(given):
        raise ModelError(
            "the weights of a FullyShardedDataParallel model are spread over processes: load the model anew from a "
            "checkpoint, in one process"
        )
    if of_peft(given):
        inner = given.get_base_model() if hasattr(given, "get_base_model") else getattr(given, "model", None)
        return None if inner is None else (inner, None)
    if _from(given, "transformers", "Pipeline"):
        return _of_pipeline(given)
    if _from(given, "sentence_transformers"):
        return _of_sentence_transformer(given)
    for attribute in ("_orig_mod", "module"):  # torch.compile; DataParallel and its kin
        inner = getattr(given, attribute, None)
        if isinstance(given, nn.Module) and isinstance(inner, nn.Module):
            return inner, None
    return None


_TOKENIZERS = (PreTrainedTokenizerBase, ProcessorMixin)


def _names(given: object) -> Iterator[str]:
    return (cls.__name__ for cls in type(given).__mro__)


def _from(given: object, package: str, name: str = "") -> bool:
    """Whether it is an object of that package (of a class of that name), which need not be installed."""
    return any(cls.__module__.split(".")[0] == package and name in ("", cls.__name__) for cls in type(given).__mro__)


def _of_pipeline(pipeline: Any) -> tuple[object, object]:
    prefix = pipeline._preprocess_params.get("prefix") or getattr(pipeline, "prefix", None)
    if prefix:
        raise ModelError(
            f"this pipeline puts {prefix!r} before every text: pass attnscope.Model(pipeline.model, "
            "pipeline.tokenizer), and write it into the text"
        )
    return pipeline.model, pipeline.tokenizer or getattr(pipeline, "processor", None)


def _of_sentence_transformer(given: Any) -> tuple[object, object] | None:
    """The transformer that comes first, before pooling."""
    first = given[0] if isinstance(given, nn.Sequential) and len(given) else given
    inner = getattr(first, "auto_model", None) or getattr(first, "model", None)
    if inner is None:
        return None
    prompt = (getattr(given, "prompts", None) or {}).get(getattr(given, "default_prompt_name", None))
    if prompt:
        raise ModelError(
            f"this {type(given).__name__} puts {prompt!r} before every text: pass attnscope.Model(model[0].auto_model, "
            "model.tokenizer), and write it into the text"
        )
    return inner, getattr(first, "tokenizer", None)


def _check_adds_nothing(wrapper: Any, net: PreTrainedModel) -> None:
    """Refuse a PEFT model that does more than what is inside the layers of the model that it is around."""
    config = getattr(wrapper, "peft_config", {})
    names = getattr(wrapper, "active_adapters", None) or list(config)
    refused = (
        f"the adapter {', '.join(names)!r} ({peft_kind(wrapper)}) does more than change the layers of "
        f"{type(net).__name__}, which is all that attnscope can see"
    )
    way_out = "; explain the base model, or an adapter of another kind (LoRA, IA3, …)"
    if any(getattr(config.get(name), "alora_invocation_tokens", None) for name in names):
        raise ModelError(f"{refused}: it starts at an invocation in the text{way_out}")
    ids = torch.arange(5, 9, device=device_of(net))[None] % len(embedding_weight(net))
    inputs = {"input_ids": ids}
    if is_encoder_decoder(net):
        inputs["decoder_input_ids"] = inputs["input_ids"]
    with unchanged(net), torch.no_grad():
        try:
            whole = wrapper(**accepted(net, inputs))[0]
        except Exception as error:
            raise ModelError(f"{refused}: {type(error).__name__}{way_out}") from error
        inner = net(**accepted(net, inputs))[0]
    if whole.shape != inner.shape or not torch.equal(whole, inner):
        raise ModelError(refused + way_out)


def _no_model(outermost: object, given: object) -> str:
    what = type(outermost).__name__
    if given is not outermost:
        what += f" (with {type(given).__name__} inside)"
    for name in ("model", "net", "module", "auto_model"):
        if isinstance(getattr(given, name, None), PreTrainedModel):
            return f"attnscope takes a transformers model, not {what}: pass attnscope.Model(x.{name}, tokenizer)"
    return f"attnscope takes {_ASKED}, not {what}"
