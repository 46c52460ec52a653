"""One model under test: what attnscope is given, and whether the model comes back as it was."""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from functools import cached_property

import torch
from snapshot import ModelSnapshot
from torch import Tensor, nn
from transformers import PreTrainedModel

import attnscope as ats
from families.cases import Case
from families.plain import Plain
from reference.eager import eager_copy, multiplied_weights

# Longer than every window, chunk and top-k of the tiny models; and shorter than most.
TEXT = "The old castle stands on the hill above the town, and the river runs below it."
SHORT = "The old castle is bad."


@dataclass
class Trial:
    """case, model: what is tried, as attnscope has it. plain: a copy for the textbook versions."""

    case: Case
    model: ats.Model
    plain: Plain
    _before: ModelSnapshot = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.watch()

    @classmethod
    def of(cls, case: Case, net: PreTrainedModel, tokenizer: object) -> "Trial":
        """A trial of this model; its copy is made before attnscope has seen it."""
        plain = Plain(case, deepcopy(net), tokenizer)
        return cls(case, ats.Model(net, tokenizer), plain)

    def in_precision(self, dtype: torch.dtype) -> "Trial":
        """The same model in another precision."""
        net = deepcopy(self.plain.net).to(dtype)
        if dtype == torch.float64 and net._can_set_experts_implementation():
            net.set_experts_implementation("eager")  # the fast kernels of experts have no double precision
        return Trial.of(self.case, net, self.plain.tokenizer)

    def fresh(self) -> "Trial":
        """The same model, which attnscope has not seen yet."""
        return Trial.of(self.case, deepcopy(self.plain.net), self.plain.tokenizer)

    @property
    def net(self) -> PreTrainedModel:
        """The model that attnscope works on."""
        return self.model.model

    @property
    def stack(self) -> str:
        """The attention of the text itself."""
        return "encoder" if self.plain.two_stacks else "self"

    @cached_property
    def ids(self) -> list[int]:
        """The tokens of TEXT."""
        return self.plain.ids(TEXT)

    @cached_property
    def kept(self) -> list[int]:
        """The tokens that are not special: the mean over queries is theirs."""
        return [i for i, identity in enumerate(self.ids) if identity not in self.plain.tokenizer.all_special_ids]

    @property
    def position(self) -> int:
        """A token in the middle of the text, for targets that need one."""
        return len(self.ids) // 2

    @cached_property
    def eager(self) -> list[Tensor]:
        """The model's own eager attention of TEXT."""
        return self.eager_of(TEXT)

    def eager_of(self, text: str) -> list[Tensor]:
        """The model's own eager attention, (head, query, key), of each layer that has it from token to token.

        Where a model returns something else than the weights that it multiplies with (raw scores), these.
        """
        ids = self.plain.ids(text)
        count = len(ids)
        returned = self.plain.attention(ids).get(self.stack, [])
        layers = [weights for weights in returned if weights.shape[-2:] == (count, count)]
        if all(weights.min() >= 0 and weights.sum(-1).max() <= 1.01 for weights in layers):
            return layers
        net = eager_copy(self.plain.net)
        return multiplied_weights(self.plain.body(net), self.plain.body_inputs(net, ids))

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The model's numbers of the layers that have attention weights, as attnscope gives them."""
        return ats.attention_maps(self.model, SHORT).layers

    def watch(self) -> None:
        """From here on, this is how the model must come back."""
        self._before = ModelSnapshot.of(self.net)
        self._attributes = _attributes(self.net)

    def changes(self) -> list[str]:
        """What is not as it was."""
        after = ModelSnapshot.of(self.net)
        changed = [
            part.name
            for part in fields(after)
            if part.compare and getattr(self._before, part.name) != getattr(after, part.name)
        ]
        if self._attributes != _attributes(self.net):
            changed.append("attributes")
        if changed:
            self.watch()
        return changed


def _attributes(net: nn.Module) -> list[list[str]]:
    return [sorted(module.__dict__) for module in net.modules()]
