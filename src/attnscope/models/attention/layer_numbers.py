"""The model's own numbers of the layers that attend, where it mixes them with layers that do not.

A pass reports attention for the layers that have it, one after the other: the first may be the model's layer 3. So
its number is counted: how many blocks of the same list of modules have begun before the one that the call is in.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise, takewhile

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.models.architecture import accepted
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.watching import watching
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import AttentionLayout
from attnscope.models.thread_bound import here_only

ATTENTION = "attention"
# What a layer is that only feeds forward: nothing passes from token to token in it.
FEED_FORWARD = "a feed-forward layer"
# What classes of modules are called in which tokens mix without attention.
_MIXERS = ("Mamba", "ShortConv", "GatedDelta", "LinearAttention", "LightningAttention", "RecurrentBlock", "RgLru")
# How a block names the part that mixes its tokens, or the configuration its kind.
_KINDS = {
    "mamba": "a Mamba layer",
    "conv": "a convolution",
    "recurrent": "a recurrent layer",
    "linear_attn": "linear attention",
    "linear_attention": "linear attention",
    "mlp": FEED_FORWARD,
    "moe": FEED_FORWARD,
}


def with_model_numbers(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], layout: AttentionLayout
) -> AttentionLayout:
    """The layout with the model's numbers of its layers; as it is where every layer attends, or none can be counted.

    inputs: a few tokens, for one pass.
    """
    config = net.config.get_text_config()
    if [layer for _, layer in layout.calls] == list(range(getattr(config, "num_hidden_layers", None) or 0)):
        return layout
    names = {module: name for name, module in body.named_modules()}
    blocks: dict[str, list[nn.Module]] = {}
    places: list[tuple[str, int]] = []

    def begin(module: nn.Module, _args: object) -> None:
        blocks.setdefault(list_of(names[module]), []).append(module)

    def see(call: AttentionCall) -> None:
        siblings = list_of(names.get(call.module, ""))
        places.append((siblings, len(blocks.get(siblings, ())) - 1))

    with unchanged(net), torch.no_grad(), watching(net, layout, see) as extra:
        for module, name in names.items():
            if name and name == block_name(name) and not isinstance(module, nn.ModuleList):
                module.register_forward_pre_hook(here_only(begin))
        body(**accepted(body, inputs), **extra)
    calls, kinds = list(layout.calls), {}
    for stack in Counter(stack for stack, _ in layout.calls):
        mine = [i for i, (name, _) in enumerate(layout.calls) if name == stack]
        numbers = [places[i][1] for i in mine]
        if len({places[i][0] for i in mine}) > 1 or numbers[0] < 0 or any(a >= b for a, b in pairwise(numbers)):
            continue
        for i, number in zip(mine, numbers, strict=True):
            calls[i] = (stack, number)
        of_stack = blocks[places[mine[0]][0]]
        if len(of_stack) > len(mine):
            kinds[stack] = tuple(
                ATTENTION if i in numbers else _kind(net, block, i, len(of_stack)) for i, block in enumerate(of_stack)
            )
    return replace(layout, calls=tuple(calls), kinds=kinds)


def with_mixers_beside(body: nn.Module, layout: AttentionLayout) -> AttentionLayout:
    """The layout with the layers in which tokens mix in another way beside their attention (Falcon-H1, ConvBERT)."""
    names = {module: name for name, module in body.named_modules()}
    beside = set()
    for module, label in zip(layout.modules, layout.calls, strict=True):
        block = block_name(names.get(module, ""))
        if block and any(_mixes_in_another_way(part) for part in body.get_submodule(block).modules()):
            beside.add(label)
    return replace(layout, beside=frozenset(beside))


def _mixes_in_another_way(module: nn.Module) -> bool:
    """Whether a module passes something from token to token without attention: a convolution, or what has one."""
    along_tokens = isinstance(module, nn.Conv1d) and module.kernel_size[0] > 1
    return along_tokens or any(name in type(module).__name__ for name in _MIXERS)


def block_numbers(body: nn.Module) -> dict[nn.Module, int]:
    """Of each module in a list of blocks, which block of its list it is in, counted over nested lists."""
    blocks: dict[str, list[str]] = {}
    numbers = {}
    for name, module in body.named_modules():
        if block := block_name(name):
            siblings = blocks.setdefault(list_of(name), [])
            if block not in siblings:
                siblings.append(block)
            numbers[module] = siblings.index(block)
    return numbers


def block_name(name: str) -> str:
    """The name of the element of the outermost list of modules that a module is in; "" where it is in none.

    >>> block_name("encoder.layer.3.attention.self"), block_name("blocks.0.1.attention"), block_name("pooler")
    ('encoder.layer.3', 'blocks.0.1', '')
    """
    parts = name.split(".")
    before = list(takewhile(lambda part: not part.isdigit(), parts))
    numbers = list(takewhile(str.isdigit, parts[len(before) :]))
    return ".".join([*before, *numbers]) if numbers else ""


def list_of(name: str) -> str:
    """The list of modules that a module is in, the same for all its elements."""
    return ".".join("#" if part.isdigit() else part for part in block_name(name).split("."))


def _kind(net: PreTrainedModel, block: nn.Module, number: int, count: int) -> str:
    """What a layer without attention weights is, by the names of its parts or by the configuration."""
    for name, _ in block.named_children():
        if name not in ("mlp", "moe") and name in _KINDS:
            return _KINDS[name]
    config = net.config.get_text_config()
    for attribute in ("layers_block_type", "layer_types"):
        kinds = getattr(config, attribute, None) or ()
        if len(kinds) == count:
            return _KINDS.get(kinds[number], f"of the kind {kinds[number]!r}")
    return "another kind of layer"
