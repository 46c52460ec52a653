"""Models built by hand, so that the right answer is known."""

from typing import Any, Self

import torch
from snapshot import watch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput

LETTERS = ["[UNK]", "[PAD]", *"abcdefghijklmnopqrstuvwxyz"]


def copy_tokenizer() -> PreTrainedTokenizerFast:
    """One token a letter or word, between spaces."""
    tokenizer = Tokenizer(models.WordLevel({letter: i + 2 for i, letter in enumerate(LETTERS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    watch(fast)
    return fast


class CopyConfig(PretrainedConfig):
    model_type = "copy_back"

    def __init__(self, back: int = 2, vocab_size: int = 32, **kwargs: Any) -> None:
        self.back, self.vocab_size, self.num_hidden_layers = back, vocab_size, 1
        super().__init__(**kwargs)


class CopyBody(PreTrainedModel):
    config_class = CopyConfig

    def __init__(self, config: CopyConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.vocab_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embed_tokens

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutput:  # noqa: ARG002
        hidden = self.embed_tokens(input_ids).roll(self.config.back, 1)
        early = torch.arange(hidden.shape[1])[None, :, None] < self.config.back
        return BaseModelOutput(last_hidden_state=hidden.masked_fill(early, 0))


class CopyBack(PreTrainedModel):
    """Each position's logits are the embedding of the token `back` places before it: nothing else is read."""

    config_class = CopyConfig
    base_model_prefix = "model"

    def __init__(self, config: CopyConfig) -> None:
        super().__init__(config)
        self.model = CopyBody(config)
        self.lm_head = nn.Linear(config.vocab_size, config.vocab_size, bias=False)
        self.post_init()

    @classmethod
    def make(cls, back: int) -> Self:
        net = cls(CopyConfig(back=back)).eval()
        with torch.no_grad():
            net.model.embed_tokens.weight.copy_(torch.eye(32))
            net.lm_head.weight.copy_(torch.eye(32))
        watch(net)
        return net

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> CausalLMOutput:
        return CausalLMOutput(logits=self.lm_head(self.model(input_ids, attention_mask).last_hidden_state))


def attention_copy(back: int, sharpness: float = 4.0) -> GPT2LMHeadModel:
    """A GPT-2 of one layer whose only head looks `back` places back and writes what it finds there to the output.

    Hidden: 32 places for the token, 32 for its position, 32 for what was found. Nothing else is read by the head.
    """
    size = 32
    settings = {"vocab_size": size, "n_positions": size, "n_embd": 3 * size, "n_layer": 1, "n_head": 1}
    ids = {"bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 1}
    net = GPT2LMHeadModel(GPT2Config(**settings, **ids, tie_word_embeddings=False)).eval()
    token, position, found = (slice(i * size, (i + 1) * size) for i in range(3))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if ".ln_" not in name:
                parameter.zero_()
        attention = net.transformer.h[0].attn
        queries, keys, values = attention.c_attn.weight.split(3 * size, 1)  # (in, out)
        queries[position, position] = sharpness * torch.eye(size).roll(-back, 1)
        keys[position, position] = torch.eye(size)
        values[token, found] = torch.eye(size)
        attention.c_proj.weight[found, found] = torch.eye(size)
        net.transformer.wte.weight[:, token] = torch.eye(size)
        net.transformer.wpe.weight[:, position] = torch.eye(size)
        net.lm_head.weight[:, found] = torch.eye(size)
    watch(net)
    return net
