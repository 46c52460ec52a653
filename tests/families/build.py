"""A tiny random model of a case, sharp: its attention is far from uniform, so that a fault shows."""

import math
import re

import torch
import transformers
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from families.cases import Case
from families.configure import tiny_config
from families.tokenizers import tokenizer

# Of which the towers for pictures and sounds, which are not run, have the most.
MOST_WEIGHTS = 130_000_000
# Decay, step and gating of recurrences: any other values than their own, and they forget all or overflow.
_OF_RECURRENCES = re.compile(
    r"A_log|dt_bias|dt_proj|\.D$|time_decay|time_first|time_mix|recurrent_param|rg_lru|slope|inv_freq"
)
# One fan-in's worth of standard deviations; less would leave attention flat, more would make it one-hot.
_SHARPNESS, _MOST, _EMBEDDINGS = 1.6, 0.25, 0.5
# They scale without a norm behind: what they predict would be certain, a loss of 0 of which nothing can be checked.
_SOFTER = {"mobilebert": 0.3, "minicpm3": 0.3}


def build(case: Case, seed: int = 0) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model, in float32 and evaluation mode, and a tokenizer that suits it."""
    config = tiny_config(case.family)
    made = getattr(transformers, case.architecture)
    if case.kind == "causal" and hasattr(config, "is_decoder") and case.family != "fuyu":
        config.is_decoder = True
        if hasattr(config, "is_encoder_decoder") and "ForConditional" not in case.architecture:
            config.is_encoder_decoder = False
    if case.kind == "causal" and not isinstance(config, made.config_class or type(config)):
        config = config.get_text_config()
    if case.kind in ("seqcls", "tokcls"):
        config.num_labels = 3
    if case.kind == "seqcls":
        config.pad_token_id = 0
    if getattr(config, "is_encoder_decoder", False) and getattr(config, "decoder_start_token_id", None) is None:
        config.decoder_start_token_id = 0
    if case.family == "encoder-decoder":  # as two models become one
        config.decoder.is_decoder = config.decoder.add_cross_attention = True
    torch.manual_seed(seed)
    net: PreTrainedModel = made(config)
    if (generation := getattr(net, "generation_config", None)) is not None:
        generation.eos_token_id, generation.pad_token_id, generation.bos_token_id = 2, 0, 1
    weights = sum(parameter.numel() for parameter in net.parameters())
    if weights > MOST_WEIGHTS:
        raise ValueError(f"{case.name} has {weights / 1e6:.0f} million weights: give it smaller sizes")
    _sharpen(net, torch.Generator().manual_seed(seed), _SHARPNESS * _SOFTER.get(case.family, 1.0))
    return net.eval().float(), tokenizer(_style(case, net))


def _style(case: Case, net: PreTrainedModel) -> str:
    if getattr(net.config, "is_encoder_decoder", False):
        return "encoder-decoder"
    return "causal" if case.kind in ("causal", "multimodal", "seq2seq") else "encoder"


@torch.no_grad()
def _sharpen(net: nn.Module, generator: torch.Generator, sharpness: float) -> None:
    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator).to(like.dtype)

    for name, parameter in net.named_parameters():
        if not parameter.is_floating_point():
            continue
        if _OF_RECURRENCES.search(name):
            if not torch.isfinite(parameter).all() or parameter.abs().max() > 1e4:  # memory that nobody initialised
                parameter.copy_(0.1 * noise(parameter))
        elif parameter.dim() >= 2:
            spread = _EMBEDDINGS if "emb" in name else min(_MOST, sharpness / math.sqrt(max(parameter.shape[-1], 1)))
            parameter.copy_(spread * noise(parameter))
        elif parameter.dim() == 1 and "sink" in name.rsplit(".", 1)[-1]:
            parameter.copy_(noise(parameter))
        elif parameter.dim() == 1:
            parameter.copy_(parameter.nan_to_num(0.0).clamp(-4, 4) + 0.2 * noise(parameter))
    for name, buffer in net.named_buffers():
        if buffer.is_floating_point() and "bias" in name and not torch.isfinite(buffer).all():
            buffer.zero_()
    for module in net.modules():
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
