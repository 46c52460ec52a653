"""Running a model and seeing the attention of its layers.

Problems solved here:
- which call of attention is which layer, and of which kind: learnt once a model, from a few tokens;
- before a model is trusted, these few tokens go through both ways, and every row of every layer must agree with the
  model's own eager attention; a model for which they do not is refused by name;
- the pass stops after the last layer that was asked for, and the vocabulary head never runs.
"""

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, is_encoder_decoder, self_attention_body
from attnscope.models.attention.eager_hook import Meeting
from attnscope.models.attention.interface import NAME, Call, Eager, Watcher, show, use, watched
from attnscope.models.hooks import Cut, forward_replaced
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import bar

# The kinds of attention: a text's to itself; and in an encoder–decoder the encoder's, the decoder's, and the decoder's
# to the encoder.
KINDS = ("self", "encoder", "decoder", "cross")
# How many tokens of the text, and of a decoder's text, a model is tried with.
PROBE_TOKENS, PROBE_DECODER_TOKENS = 8, 5
# What the probe allows between our weights and the model's own, by the precision of the model: more than rounding
# makes, far less than any difference in the formula.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 3e-2}


@dataclass(frozen=True)
class Layout:
    """Where a model's attention is found.

    calls:  the kind and layer of each call of attention, in the order of a forward pass.
    heads:  how many heads each of them has.
    hooked: empty when the model goes through transformers' attention interface; else, for each call, the module that
            returns its weights and their place in its output (eager, one layer's matrix at a time).
    values: whether the values can be seen, and set, where the weights meet them.
    """

    calls: tuple[tuple[str, int], ...]
    heads: tuple[int, ...]
    hooked: tuple[tuple[nn.Module, int], ...] = ()
    values: bool = True

    def heads_of(self, kind: str) -> list[int]:
        """The number of heads of each layer of that kind."""
        return [heads for (of, _), heads in zip(self.calls, self.heads, strict=True) if of == kind]


_layouts: weakref.WeakKeyDictionary[PreTrainedModel, dict[bool, Layout]] = weakref.WeakKeyDictionary()


def checked_kind(net: PreTrainedModel, kind: str | None) -> str:
    """The kind of attention that is meant. Raises ModelError for one that the model does not have."""
    if not is_encoder_decoder(net):
        if kind not in (None, "self"):
            raise ModelError(f"{type(net).__name__} has no attention of the kind {kind!r}: it is no encoder–decoder")
        return "self"
    if kind not in (None, *KINDS[1:]):
        raise ModelError(f"there is no attention of the kind {kind!r}: choose from {', '.join(KINDS[1:])}")
    return kind or "encoder"


def layout(net: PreTrainedModel, inputs: Mapping[str, Tensor], kind: str | None = None) -> Layout:
    """Where the model's attention is found; learnt once a model, from the first few tokens of `inputs`.

    Raises ModelError for a model that gives no attention weights, or whose weights cannot be had faithfully.
    """
    whole = checked_kind(net, kind) in ("decoder", "cross")
    known = _layouts.setdefault(net, {})
    if whole not in known:
        with unchanged(net), torch.no_grad():
            known[whole] = _probe(net, _short(inputs), whole)
    return known[whole]


def _short(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    short = {
        name: value[:1, : PROBE_DECODER_TOKENS if name.startswith("decoder") else PROBE_TOKENS]
        for name, value in inputs.items()
    }
    if "attention_mask" in short:  # a padded row must not be probed on its padding alone
        short["attention_mask"] = torch.ones_like(short["attention_mask"])
    return short


def body_of(net: PreTrainedModel, kind: str) -> nn.Module:
    """What has to run so that this kind of attention happens."""
    return net.base_model if kind in ("decoder", "cross") else self_attention_body(net)


def _probe(net: PreTrainedModel, inputs: dict[str, Tensor], whole: bool) -> Layout:
    body = body_of(net, "cross" if whole else "self")
    expected, places = _eager_weights(net, body, inputs)
    if not whole:
        own = "encoder" if is_encoder_decoder(net) else "self"
        expected = {own: next(iter(expected.values()))}
    if use(net, NAME):
        seen: list[Tensor] = []
        with watched(lambda call: seen.append(call.weights(torch.arange(call.queries)).cpu())):
            body(**accepted(body, inputs))
        if seen:
            return Layout(_matched(net, seen, expected), tuple(weights.shape[1] for weights in seen))
    found = [(kind, layer, weights) for kind, layers in expected.items() for layer, weights in enumerate(layers)]
    if len(expected) > 1 or any(id(weights) not in places for _, _, weights in found):
        raise ModelError(
            f"{type(net).__name__} neither uses transformers' attention interface nor returns its attention weights "
            "from a module: attnscope cannot read them faithfully"
        )
    hooked = Layout(
        tuple((kind, layer) for kind, layer, _ in found),
        tuple(weights.shape[1] for _, _, weights in found),
        tuple(places[id(weights)] for _, _, weights in found),
    )
    met: list[Tensor] = []
    with attending(net, hooked, lambda call: met.append(call.weights(torch.arange(call.queries)).cpu())) as extra:
        body(**accepted(body, inputs), **extra)
    theirs = [weights for _, _, weights in found]
    tolerance = TOLERANCE.get(net.dtype, 3e-2)
    same = len(met) == len(theirs) and all(_error(a, b) <= tolerance for a, b in zip(met, theirs, strict=True))
    return hooked if same else replace(hooked, values=False)


def _matched(
    net: PreTrainedModel, seen: list[Tensor], expected: dict[str, list[Tensor]]
) -> tuple[tuple[str, int], ...]:
    """Which kind and layer each seen call is: of each kind the next layer in turn, the first that agrees."""
    total = sum(map(len, expected.values()))
    if len(seen) != total:
        raise ModelError(
            f"{type(net).__name__} calls attention {len(seen)} times but reports {total} attention layers: attnscope "
            "cannot tell which is which"
        )
    done = dict.fromkeys(expected, 0)
    calls = []
    for ours in seen:
        errors = {
            kind: _error(ours, layers[done[kind]]) for kind, layers in expected.items() if done[kind] < len(layers)
        }
        kind = min(errors, key=lambda k: errors[k])
        if not errors[kind] <= TOLERANCE.get(net.dtype, 3e-2):
            raise ModelError(
                f"{type(net).__name__} does something with its attention that attnscope does not know: layer "
                f"{done[kind]} differs from the model's own eager attention by {errors[kind]:.2g}; please report the "
                "model"
            )
        calls.append((kind, done[kind]))
        done[kind] += 1
    return tuple(calls)


def _error(ours: Tensor, theirs: Tensor) -> float:
    return (ours - theirs.float().cpu()).abs().max().item() if ours.shape == theirs.shape else float("inf")


def _eager_weights(
    net: PreTrainedModel, body: nn.Module, inputs: dict[str, Tensor]
) -> tuple[dict[str, list[Tensor]], dict[int, tuple[nn.Module, int]]]:
    """The model's own attention weights by kind, layer by layer; and by their id, which module returned them where."""
    places: dict[int, tuple[nn.Module, int]] = {}
    alive = []

    def look(module: nn.Module, _args: Any, output: Any) -> None:
        if isinstance(output, tuple):
            for i, x in enumerate(output):
                if isinstance(x, Tensor) and x.dim() == 4:
                    places.setdefault(id(x), (module, i))
                    alive.append(x)  # or another tensor might get its id

    use(net, "eager")
    handles = [module.register_forward_hook(look, prepend=True) for module in body.modules()]
    try:
        outputs = body(**accepted(body, inputs), output_attentions=True)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{type(net).__name__} gives no attention weights ({error})") from error
    finally:
        for handle in handles:
            handle.remove()
    names = {"self": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions"}
    found = {
        kind: [w for w in getattr(outputs, name, None) or () if w is not None]
        for kind, name in (names | {"cross": "cross_attentions"}).items()
    }
    found = {kind: layers for kind, layers in found.items() if layers}
    if not found:
        raise ModelError(
            f"{type(net).__name__} has no attention weights to show (it may be a state-space or recurrent model); use "
            "a transformer with attention layers, or a gradient method"
        )
    lengths = {inputs[name].shape[1] for name in ("input_ids", "decoder_input_ids") if name in inputs}
    if any(w.dim() != 4 or not {w.shape[2], w.shape[3]} <= lengths for layers in found.values() for w in layers):
        raise ModelError(
            f"{type(net).__name__} reports attention of shape {tuple(next(iter(found.values()))[0].shape)}, not "
            "(batch, head, query, key): it does not attend from every token to every token, which is all that "
            "attnscope can draw"
        )
    return found, places


@contextmanager
def attending(net: PreTrainedModel, found: Layout, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """Inside, a forward pass with the yielded arguments shows every call of attention to `watcher`.

    To be used inside `unchanged`, which puts the attention implementation back.
    """
    if not found.hooked:
        if not use(net, NAME):
            raise ModelError(f"{type(net).__name__} no longer accepts an attention implementation of attnscope's")
        with watched(watcher):
            yield {}
        return
    use(net, "eager")
    with watched(watcher), ExitStack() as stack:
        for module, place in dict(found.hooked).items():
            forward = partial(_shown, module, module.forward, place, found.values)
            stack.enter_context(forward_replaced(module, forward))
        yield {"output_attentions": True}


def _shown(
    module: nn.Module, forward: Callable[..., Any], place: int, values: bool, *args: Any, **named: Any
) -> tuple[Any, ...]:
    """An eager attention module's own forward; its weights are shown as they meet the values, or else afterwards."""

    def product(weights: Tensor, value: Tensor, multiplied: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        call = Eager(module, weights, value.reshape(len(weights), -1, *value.shape[-2:]))
        show(call)
        made = multiplied(call.matrix, call.value.reshape(value.shape))
        if call.then is None:
            return made
        output = call.then(made.reshape(*weights.shape[:3], -1).transpose(1, 2))
        return output.transpose(1, 2).reshape(made.shape)

    with Meeting(product) if values else nullcontext():
        output = forward(*args, **named)
    matrix = output[place]
    if matrix is None:  # not asked to return it, as when a layer is run by itself
        return output
    if not values:
        show(Eager(module, matrix))
    # The matrix goes before the next layer runs.
    return (*output[:place], matrix.new_empty(0), *output[place + 1 :])


See = Callable[[int, Call], None]


def layer_by_layer(found: Layout, kind: str, layers: Collection[int], see: See, cut: bool = True) -> Watcher:
    """A watcher that gives the wanted layers of one kind to `see`; if `cut`, the pass ends after the last of them."""
    wanted = {i: layer for i, (of, layer) in enumerate(found.calls) if of == kind and layer in layers}
    count = 0

    def watcher(call: Call) -> None:
        nonlocal count
        number, count = count, count + 1
        if number in wanted:
            see(wanted[number], call)
        if cut and number == max(wanted):
            raise Cut

    return watcher


def watch(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], layers: Collection[int], see: See, kind: str | None = None
) -> None:
    """Run the model on `inputs` and show the attention of each wanted layer to `see(layer, call)`, from the bottom up.

    net:    any transformers model with attention; it comes back as it was.
    inputs: what its forward takes, (batch, token); padded on either side with an attention mask.
    layers: indices from 0 to layers - 1. The pass stops after the last.
    kind:   of an encoder–decoder: "encoder" (the default), "decoder" or "cross"; the latter two read
            `decoder_input_ids`.
    """
    kind = checked_kind(net, kind)
    found = layout(net, inputs, kind)
    body = body_of(net, kind)
    with bar("layers", len(layers)) as done:

        def seen(layer: int, call: Call) -> None:
            see(layer, call)
            done(1)

        watcher = layer_by_layer(found, kind, layers, seen)
        with unchanged(net), torch.no_grad(), attending(net, found, watcher) as extra:
            try:
                body(**accepted(body, inputs), **extra)
            except Cut:
                return


def mix(call: Call, query_weights: Tensor) -> Tensor:
    """`sum_i query_weights[:, m, i] · attention[:, head, i, :]`, block by block: (batch, mix, head, key), on the CPU.

    query_weights: (batch, mix, query). A one at one query gives its row, 1/n at n queries their mean.
    """
    mixed = torch.zeros(call.batch, query_weights.shape[1], call.heads, call.keys)
    for block in call.blocks(query_weights.any(dim=(0, 1)).nonzero().flatten()):
        some = query_weights[:, :, block.queries].to(block.weights.device)
        mixed[..., : block.weights.shape[-1]] += torch.einsum("bhqk,bmq->bmhk", block.weights, some).cpu()
    return mixed


def mixed_rows(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    query_weights: Tensor,
    layers: Collection[int],
    kind: str | None = None,
) -> dict[int, Tensor]:
    """For each asked layer, `sum_i query_weights[i] · attention[i, :]`: a tensor (batch, head, key) of float32.

    query_weights: (batch, query); a one at one token gives its row, 1/n at n tokens their mean.
    """
    rows: dict[int, Tensor] = {}

    def see(layer: int, call: Call) -> None:
        rows[layer] = mix(call, query_weights[:, None])[:, 0]

    watch(net, inputs, layers, see, kind)
    return rows
