"""What attnscope has learnt about a model by trying it on a few tokens: once, and kept as long as the model lives."""

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.models.attention.serving import function_of_the_user
from attnscope.models.leave_unchanged import configurations, within
from attnscope.models.thread_bound import ATTENTION_MARK, ATTENTION_NAME

# A trial run takes this many tokens of the text, and of a decoder's text.
PROBE_TOKENS, PROBE_DECODER_TOKENS = 8, 5
# It takes more where windows, chunks or a top-k hide what is further away, up to this many. What lies beyond is
# compared once a text is longer than that.
LONGEST_PROBE = 512
# What the settings of a configuration are called that say from how many tokens on attention leaves some out.
_REACHES = ("window", "chunk", "block_size", "index_topk", "local_attention", "local_radius", "sparse_size", "max_span")


@dataclass(frozen=True)
class AttentionLayout:
    """Where a model's attention is.

    calls:  the stack and layer of each attention call, in the order of a forward pass; layers by the model's numbers.
            The stack is "" where a call is none of these: it attends to something else than tokens, or is the second
            of a layer.
    heads:  how many heads each call has.
    hooked: empty when the model goes through transformers' attention interface; else, for each call, the module that
            multiplies its weights with the values, and their index in its output; None where it returns none that can
            be used (eager, one layer's matrix at a time).
    values: whether the values can be seen, and replaced, where the weights multiply them.
    beside: the stack and layer of those in which tokens mix in another way too, as by a state space in parallel.
    modules: the module that makes each call.
    implementation: with which attention the model is run: "sdpa", or "eager" where it has no other.
    single: whether each layer is one call, so that its output is that call's.
    kinds:  of a stack in which not all layers attend, what each layer of the model is, such as "attention" or "a
            convolution".
    """

    calls: tuple[tuple[str, int], ...]
    heads: tuple[int, ...]
    hooked: tuple[tuple[nn.Module, int | None], ...] = ()
    values: bool = True
    modules: tuple[nn.Module, ...] = ()
    implementation: str = "sdpa"
    single: bool = True
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: frozenset[tuple[str, int]] = frozenset()

    def heads_of(self, stack: str) -> dict[int, int]:
        """Of each layer of that stack that attends, how many heads it has."""
        return {layer: heads for (name, layer), heads in zip(self.calls, self.heads, strict=True) if name == stack}

    def beside_of(self, stack: str) -> list[int]:
        """The layers of that stack in which tokens mix in another way beside attention."""
        return [layer for name, layer in sorted(self.beside) if name == stack]

    def kinds_of(self, stack: str) -> tuple[str, ...]:
        """What each of the model's layers in that stack is."""
        return self.kinds.get(stack) or ("attention",) * len(self.heads_of(stack))


@dataclass(frozen=True, eq=False)
class Projection:
    """The module that the outputs of all heads go through, and one row of what it was given, (1, all heads' hidden).

    gated: whether it is given the outputs times a gate, rather than as they are.
    """

    module: nn.Module
    given: Tensor
    gated: bool = False


@dataclass(frozen=True)
class LinearLayer:
    """A layer of linear attention: the name of what it computes, its heads, and why it is refused (None: it is not)."""

    mechanism: str
    heads: int
    refusal: str | None = None


@dataclass
class ModelFacts:
    """One model's facts, filled in as they are learnt.

    layouts:       by whether the decoder runs too.
    linear:        its layers of linear attention by their numbers; None until they were looked for.
    projections:   stack -> layer -> what projects the output of its heads.
    passes_gradients: whether quantised layers were tried, and all pass gradients; None until they were tried.
    reuses_prefix: whether a pass can go on from cached keys and values; None until it was tried.
    both_ways:     whether a token's output depends on the tokens after it; None until it was tried.
    decoder_by_length: whether what a decoder predicts depends on how many tokens it reads; None until it was tried.
    padding_leaks: whether padding changes what the model makes of a text; None until it was tried.
    compared:      by whether the decoder runs too, the longest reach beyond the trial on which outputs were compared.
    separate_head: whether the vocabulary head can run apart from the body; None until it was tried.
    embeds:        which of an encoder–decoder's embedding layers the text goes through; None until it was tried.
    begins_at_layer: whether a pass can begin at a layer with what those below it gave; None until it was tried.
    """

    layouts: dict[bool, AttentionLayout] = field(default_factory=dict)
    linear: dict[int, LinearLayer] | None = None
    projections: dict[str, dict[int, Projection]] = field(default_factory=dict)
    reuses_prefix: bool | None = None
    both_ways: bool | None = None
    decoder_by_length: bool | None = None
    padding_leaks: bool | None = None
    passes_gradients: bool | None = None
    compared: dict[bool, int] = field(default_factory=dict)
    separate_head: bool | None = None
    embeds: int | None = None
    begins_at_layer: bool | None = None


@dataclass(frozen=True)
class _Makeup:
    """What facts depend on. A model with other parts, other code or in another precision, or with other settings, is
    another model. With other weights of the same form it is not.

    modules: and functions weakly, or a part would keep itself alive, and what a function refers to.
    settings: of each configuration, the name of its attention too.
    hooks:   of the user's, each by the number that torch has given to it and to no other.
    code:    the user's attention functions, and what the modules run: their classes' forward, or one of their own.
    causal:  what modules say about it, for attention functions ask them.
    """

    modules: tuple[weakref.ref[nn.Module], ...]
    settings: tuple[dict[str, Any], ...]
    hooks: tuple[int, ...]
    code: tuple[weakref.ref[Callable[..., Any]] | None, ...]
    causal: tuple[object, ...]
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, net: PreTrainedModel) -> "_Makeup":
        modules = tuple(net.modules())
        configs = [c for part in modules if isinstance(part, PreTrainedModel) for c in within(part.config)]
        # A run of ours marks configurations while it lasts, and that is no other setting.
        settings = tuple(
            {name: value for name, value in vars(config).items() if name != ATTENTION_MARK}
            for config in {id(config): config for config in configs}.values()
        )
        names = dict.fromkeys(["sdpa", *(stated.get(ATTENTION_NAME) for stated in settings)])
        functions = [
            *map(function_of_the_user, names),
            *(kind.forward for kind in {type(module): None for module in modules}),
            *(forward for module in modules if (forward := _own_forward(module)) is not None),
        ]
        return cls(
            tuple(map(weakref.ref, modules)),
            settings,
            tuple(number for module in modules for number in _hooks_of_the_user(module)),
            tuple(None if function is None else weakref.ref(function) for function in functions),
            tuple(vars(module)["is_causal"] for module in modules if "is_causal" in vars(module)),
            net.dtype,
            net.device,
        )


def _hooks_of_the_user(module: nn.Module) -> Iterator[int]:
    for hooks in (module._forward_pre_hooks, module._forward_hooks):
        yield from (number for number, hook in hooks.items() if _made_in(hook) not in ("attnscope", "transformers"))


def _own_forward(module: nn.Module) -> Callable[..., Any] | None:
    """What was put in the place of the forward of the module's class, but for a run of ours."""
    forward: Any = vars(module).get("forward")
    while _made_in(forward) == "attnscope":
        forward = forward.__wrapped__
    return None if getattr(forward, "__func__", None) is type(module).forward else forward


def _made_in(function: Any) -> str:
    """The package in whose code a function is written."""
    function = function.func if isinstance(function, partial) else function
    return str(getattr(function, "__globals__", {}).get("__name__", "")).split(".")[0]


_FACTS: weakref.WeakKeyDictionary[PreTrainedModel, tuple[_Makeup, ModelFacts]] = weakref.WeakKeyDictionary()


def facts_of(net: PreTrainedModel) -> ModelFacts:
    """The facts about this model as it is now, to read and to fill in."""
    makeup = _Makeup.of(net)
    known = _FACTS.get(net)
    if known is None or known[0] != makeup:
        known = _FACTS[net] = makeup, ModelFacts()
    return known[1]


def probe_tokens(net: PreTrainedModel) -> int:
    """How many tokens a trial run needs so that windows, chunks and top-k of the model's configuration take effect."""
    longest = max((reach for reach in _reaches(net) if reach < LONGEST_PROBE), default=0)
    places = getattr(net.config.get_text_config(), "max_position_embeddings", None) or LONGEST_PROBE
    tokens = PROBE_TOKENS
    while tokens <= longest:
        tokens *= 2
    return tokens if longest < PROBE_TOKENS or not 0 < places < tokens else max(PROBE_TOKENS, places - 2)


def farthest_reach(net: PreTrainedModel, tokens: int) -> int:
    """Of a text of so many tokens, how many are needed so that what the trial did not reach takes effect; or 0."""
    if tokens <= LONGEST_PROBE:
        return 0
    beyond = [reach for reach in _reaches(net) if LONGEST_PROBE <= reach < tokens]
    return min(tokens, max(beyond) + PROBE_TOKENS) if beyond else 0


def _reaches(net: PreTrainedModel) -> set[int]:
    """From how many tokens on attention leaves some out, by each setting of the model's configurations."""
    reaches = set()
    for config in configurations(net):
        layers = list(config.per_layer_config) if getattr(config, "is_heterogeneous", False) else [config]
        for settings in [vars(layer) for layer in layers]:
            stated = [value for name, value in settings.items() if any(part in name for part in _REACHES)]
            sizes = [size for value in stated for size in (value if isinstance(value, list | tuple) else [value])]
            # Blocks count by how many of them are seen: the chosen ones, in BigBird those at both ends, around, and by
            # chance.
            sizes.append((settings.get("index_topk_blocks") or 0) * (settings.get("index_block_size") or 0))
            sizes.append(_in_blocks(settings))
            reaches |= {size for size in sizes if isinstance(size, int)}
    return reaches


def longest_without_blocks(net: PreTrainedModel) -> int:
    """The longest text, in tokens, that BigBird's blocks cannot divide; 0 of other models."""
    return max(_in_blocks(vars(config)) for config in configurations(net))


def _in_blocks(settings: Mapping[str, Any]) -> int:
    return (5 + 2 * settings["num_random_blocks"]) * settings["block_size"] if "num_random_blocks" in settings else 0


def probe_inputs(inputs: Mapping[str, Tensor], tokens: int = PROBE_TOKENS) -> dict[str, Tensor]:
    """The first few tokens of the first text, for a trial run; where it takes more than usual, the text is repeated."""
    decoder_tokens = tokens - (PROBE_TOKENS - PROBE_DECODER_TOKENS) if tokens > PROBE_TOKENS else PROBE_DECODER_TOKENS
    short = {}
    for name, value in inputs.items():
        length = min(tokens, decoder_tokens) if name.startswith("decoder") else tokens
        times = -(-length // value.shape[1]) if tokens > PROBE_TOKENS and value.dim() == 2 else 1
        short[name] = (value[:1].repeat(1, times) if times > 1 else value[:1])[:, :length]
    if "attention_mask" in short:  # a padded row must not be tried on its padding alone
        short["attention_mask"] = torch.ones_like(short["attention_mask"])
    return short
