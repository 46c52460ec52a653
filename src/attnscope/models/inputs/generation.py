"""What a model writes: the text that follows, as its own greedy generation gives it, and what a decoder reads.

transformers' `generate` is asked, without sampling and beams: forced and suppressed tokens, penalties, least lengths,
stop tokens, position ids and the states of hybrids are those of the model's own settings.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from transformers import GenerationMixin, PreTrainedModel
from transformers.utils import logging

from attnscope.errors import InputError, ModelError, TextTooLongError
from attnscope.models.architecture import accepted, errors_named, is_encoder_decoder
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.typed import decoded, target_ids


@dataclass(frozen=True)
class DecoderText:
    """What the decoder of an encoder–decoder reads and writes: at `read[i]` it writes `written[i]`.

    written: with the special tokens that are written too: a language code, a forced first token, the end.
    text:    what it says, without special tokens.
    """

    read: tuple[int, ...]
    written: tuple[int, ...]
    text: str


def decoder_text(model: Model, source: Encoded, target: str | None = None, generate: int | None = None) -> DecoderText:
    """The text `target` as the model's decoder is trained on it, or what the model writes for the source.

    Raises InputError for a target without tokens, TextTooLongError for one longer than the decoder's positions,
    ModelError where the model does not say what its decoder begins with.
    """
    tokenizer = model.tokenizer
    if target is None:
        ids = generated(model, source.inputs, checked_count(generate))
        return DecoderText(tuple(ids[:-1]), tuple(ids[1:]), decoded(tokenizer, ids[1:], skip_special_tokens=True))
    return decoder_labels(model, target_ids(tokenizer, target), target)


def decoder_labels(model: Model, ids: list[int], text: str) -> DecoderText:
    """The ids as labels, with the input that the model itself makes of them. Raises as `decoder_text`."""
    if not ids:
        raise InputError(f"the target {text!r} gives no tokens: give a text that the model is to write")
    if model.positions is not None and len(ids) > model.positions:
        raise TextTooLongError(f"the target has {len(ids)} tokens and the decoder takes {model.positions}: shorten it")
    return DecoderText(_shifted(model.model, ids), tuple(ids), text)


def _shifted(net: PreTrainedModel, ids: list[int]) -> tuple[int, ...]:
    """What the decoder reads to write `ids`: mBART moves the language code from the end to the front, others begin with
    a token of their own."""
    prepare = getattr(net, "prepare_decoder_input_ids_from_labels", None)
    if prepare is not None and getattr(net.config, "decoder_start_token_id", None) is not None:
        try:
            return tuple(prepare(labels=torch.tensor([ids]))[0].tolist())
        except (AttributeError, TypeError, ValueError):
            pass  # without a padding token some refuse
    return (decoder_start(net), *ids[:-1])


def decoder_start(net: PreTrainedModel) -> int:
    """The id that a decoder's input begins with. Raises ModelError where the model names none."""
    configs = (net.config, getattr(net, "generation_config", None))
    for name in ("decoder_start_token_id", "bos_token_id"):
        for config in configs:
            if getattr(config, name, None) is not None:
                return int(getattr(config, name))
    raise ModelError(f"{type(net).__name__} does not say which token its decoder starts with (decoder_start_token_id)")


def checked_count(generate: int | None) -> int:
    """`generate` as a number of tokens. Raises InputError."""
    if type(generate) is not int or generate < 1:
        raise InputError(f"generate={generate!r}: give the number of tokens to generate, 1 or more")
    return generate


def ends(model: Model) -> frozenset[int]:
    """The ids with which the model ends a text: those of its generation settings, else the tokenizer's."""
    declared = getattr(getattr(model.model, "generation_config", None), "eos_token_id", None)
    if declared is None:
        declared = model.tokenizer.eos_token_id
    return frozenset(i for i in (declared if isinstance(declared, list) else [declared]) if i is not None)


def generated(model: Model, inputs: Mapping[str, list[int]], count: int) -> list[int]:
    """The ids of the model's own greedy generation after `inputs`: at most `count` new ones, with the one that ends it.

    Those of an encoder–decoder begin with what its decoder starts with. Raises ModelError where the model does not
    generate from text alone.
    """
    net = model.model
    given = tensors(net, inputs)
    if is_encoder_decoder(net) and model.positions is not None:
        count = min(count, model.positions)
    with unchanged(net), torch.no_grad(), _quiet():
        if not isinstance(net, GenerationMixin):
            return _one_by_one(net, given, count, ends(model))
        generate = cast("Any", net).generate
        names = {name: value for name, value in accepted(net, given).items() if name in given}
        with errors_named(net):
            written = generate(
                **names,
                max_new_tokens=count,
                do_sample=False,
                num_beams=1,
                num_return_sequences=1,
                return_dict_in_generate=False,
                eos_token_id=sorted(ends(model)) or None,
                tokenizer=model.tokenizer,
            )
    ids: list[int] = written[0].tolist()
    prompt = list(inputs["input_ids"])
    return ids if is_encoder_decoder(net) or ids[: len(prompt)] != prompt else ids[len(prompt) :]


def _one_by_one(net: PreTrainedModel, inputs: dict[str, Tensor], count: int, stop: frozenset[int]) -> list[int]:
    """The same for a model without `generate`: the likeliest next token, again and again."""
    grows = ("decoder_input_ids",) if is_encoder_decoder(net) else ("input_ids", "attention_mask")
    if is_encoder_decoder(net):
        inputs["decoder_input_ids"] = inputs["input_ids"].new_tensor([[decoder_start(net)]])
    ids: list[int] = inputs["decoder_input_ids"][0].tolist() if is_encoder_decoder(net) else []
    for _ in range(count):
        ids.append(int(net(**accepted(net, inputs)).logits[0, -1].argmax()))
        if ids[-1] in stop:
            break
        for name in grows:
            if name in inputs:
                more = inputs[name].new_tensor([[1 if name == "attention_mask" else ids[-1]]])
                inputs[name] = torch.cat([inputs[name], more], 1)
    return ids


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' remarks on settings that do not matter here."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
