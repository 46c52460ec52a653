"""What attnscope has learnt about a model by trying it on a few tokens: once, and kept as long as the model lives."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

# A trial run takes this many tokens of the text, and of a decoder's text.
PROBE_TOKENS, PROBE_DECODER_TOKENS = 8, 5


@dataclass(frozen=True)
class AttentionLayout:
    """Where a model's attention is.

    calls:  the stack and layer of each attention call, in the order of a forward pass.
    heads:  how many heads each call has.
    hooked: empty when the model goes through transformers' attention interface; else, for each call, the module that
            returns its weights and their index in its output (eager, one layer's matrix at a time).
    values: whether the values can be seen, and replaced, where the weights multiply them.
    """

    calls: tuple[tuple[str, int], ...]
    heads: tuple[int, ...]
    hooked: tuple[tuple[nn.Module, int], ...] = ()
    values: bool = True

    def heads_of(self, stack: str) -> list[int]:
        """The number of heads of each layer of that stack."""
        return [heads for (name, _), heads in zip(self.calls, self.heads, strict=True) if name == stack]


@dataclass
class ModelFacts:
    """One model's facts, filled in as they are learnt.

    layouts:       by whether the decoder runs too.
    projections:   stack -> layer -> the module that projects the output of its heads.
    reuses_prefix: whether a pass can go on from cached keys and values; None until it was tried.
    """

    layouts: dict[bool, AttentionLayout] = field(default_factory=dict)
    projections: dict[str, dict[int, nn.Module]] = field(default_factory=dict)
    reuses_prefix: bool | None = None


_FACTS: weakref.WeakKeyDictionary[PreTrainedModel, ModelFacts] = weakref.WeakKeyDictionary()


def facts_of(net: PreTrainedModel) -> ModelFacts:
    """The facts about this model, to read and to fill in."""
    return _FACTS.setdefault(net, ModelFacts())


def probe_inputs(inputs: Mapping[str, Tensor], tokens: int = PROBE_TOKENS) -> dict[str, Tensor]:
    """The first few tokens of the first text, for a trial run."""
    decoder_tokens = min(tokens, PROBE_DECODER_TOKENS)
    short = {
        name: value[:1, : decoder_tokens if name.startswith("decoder") else tokens] for name, value in inputs.items()
    }
    if "attention_mask" in short:  # a padded row must not be tried on its padding alone
        short["attention_mask"] = torch.ones_like(short["attention_mask"])
    return short
