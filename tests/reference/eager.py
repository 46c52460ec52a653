"""Eager attention laid open: every softmax over tokens, and every product of its weights with the values.

Slow and general: it asks nothing of a model but that its attention forms a matrix by a softmax and multiplies values by
it. Weights are followed from the softmax through whatever keeps their shape; a column of a learned sink may go.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

_PRODUCTS = ("matmul", "bmm", "__matmul__", "einsum")
# An element of the outermost list of modules, such as encoder.layer.3 or blocks.0.1.
_BLOCK = re.compile(r"(?:[A-Za-z_]\w*\.)*\d+(?:\.\d+)*")


class NotSeenError(Exception):
    """The model's attention cannot be followed so."""


class _EnoughError(Exception):
    """What was wanted of a pass is there."""


class EagerAttention(TorchFunctionMode):
    """Inside, `values(call, values)` may change the values of each attention, and `softmax` stand in for its softmax.

    lengths: of the texts that attend and are attended to; a softmax over anything else is none of attention's.
    batch:   texts side by side. The values come as (batch, head or 1, token, hidden); `call` counts from 0.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch: int,
        values: Callable[[int, Tensor], Tensor],
        softmax: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.queries, self.keys = set(lengths), {*lengths, *(length + 1 for length in lengths)}
        self.batch, self.values, self.softmax = batch, values, softmax
        self.calls = self.softmaxes = 0
        self.weights: list[Tensor] = []
        self.multiplied: list[Tensor] = []  # of each call the weights, as they met the values

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "softmax" and self._of_attention(args[0]):
            self.softmaxes += 1
            output = func(*args, **kwargs)
            if self.softmax is not None:
                output = self.softmax(args[0].to(output.dtype))
            self.weights = [output]
            return output
        place = next((i for i, given in enumerate(args) if self._is_weights(given)), None)
        if name in _PRODUCTS and place is not None:
            self.multiplied.append(args[place])
            args = self._with_values_changed(args, place)
            self.weights = []
            return func(*args, **kwargs)
        output = func(*args, **kwargs)
        if place == 0 and isinstance(output, Tensor) and output.is_floating_point():
            before = args[0]
            without_sink = (*before.shape[:-1], before.shape[-1] - 1)
            if output.numel() == before.numel() or output.shape == without_sink:
                self.weights.append(output)
        return output

    def _of_attention(self, scores: Tensor) -> bool:
        # (batch, token, expert) is a router's, even where there are as many experts as tokens of a decoder.
        by_head = scores.dim() > 3 or (scores.dim() == 3 and scores.shape[0] != self.batch)
        return by_head and scores.shape[-2] in self.queries and scores.shape[-1] in self.keys

    def _is_weights(self, given: object) -> bool:
        return any(given is weights for weights in self.weights)

    def _with_values_changed(self, args: tuple[Any, ...], place: int) -> tuple[Any, ...]:
        values = args[place + 1]
        if isinstance(args[0], str):  # einsum: its letters say what is what
            of_weights, of_values = args[0].split("->")[0].replace(" ", "").split(",")
            batch, head, key = of_weights[0], of_weights[1], of_weights[-1]
            (hidden,) = set(of_values) - {batch, head, key}
            order = [of_values.index(letter) for letter in (batch, head, key, hidden)]
            changed = self.values(self.calls, values.permute(order)).permute([order.index(i) for i in range(4)])
        else:
            by_head = values.reshape(self.batch, -1, *values.shape[-2:])
            changed = self.values(self.calls, by_head).reshape(values.shape)
        self.calls += 1
        return (*args[: place + 1], changed, *args[place + 2 :])


def written_by_tokens(body: nn.Module, inputs: dict[str, Tensor], call: int) -> Tensor:
    """What each token's values, alone, make this call of attention write: (token, query, hidden).

    The text runs once a token with only that token's values, and once with none: what comes out of the first projection
    after the attention that the values reach, less what comes out of it for nothing. Gates on the way are in it.
    """
    count = inputs["input_ids"].shape[1]

    def only_one(values: Tensor) -> Tensor:
        kept = torch.zeros_like(values)
        for token in range(count):
            kept[token, :, token] = values[token, :, token]
        return kept

    found = _changed_pass(body, inputs, call, only_one, _watch_projection)
    return found[:-1] - found[-1:]


def without_each_token(body: nn.Module, inputs: dict[str, Tensor], call: int) -> tuple[Tensor, Tensor]:
    """The block's output without each token's values in this call of attention, and as it is.

    (zeroed, token, hidden) and (token, hidden).
    """
    count = inputs["input_ids"].shape[1]

    def all_but_one(values: Tensor) -> Tensor:
        values = values.clone()
        for token in range(count):
            values[token, :, token] = 0
        return values

    found = _changed_pass(body, inputs, call, all_but_one, _watch_block)
    return found[:-1], found[-1]


def multiplied_weights(body: nn.Module, inputs: dict[str, Tensor]) -> list[Tensor]:
    """The weights that meet the values in each call of attention, (head, query, key)."""
    with EagerAttention([inputs["input_ids"].shape[1]], 1, lambda _call, values: values) as seen, torch.no_grad():
        body(**inputs)
    return [weights.reshape(-1, *weights.shape[-2:]) for weights in seen.multiplied]


def attention_calls(body: nn.Module, inputs: dict[str, Tensor]) -> int:
    """How many calls of attention are seen in a pass. Raises NotSeenError where a softmax meets no values."""
    with EagerAttention([inputs["input_ids"].shape[1]], 1, lambda _call, values: values) as seen, torch.no_grad():
        body(**inputs)
    if seen.softmaxes != seen.calls:
        raise NotSeenError(f"{seen.softmaxes} softmaxes over tokens and {seen.calls} products with values")
    return seen.calls


# Notes what is wanted, once it is told that the call of attention has been.
_Watch = Callable[[nn.Module, list[Tensor]], tuple[list[Any], Callable[[], None]]]


def _changed_pass(
    body: nn.Module, inputs: dict[str, Tensor], call: int, change: Callable[[Tensor], Tensor], watch: _Watch
) -> Tensor:
    """(token + 1, token, hidden): what was watched, of as many copies of the text as there are tokens, and one more."""
    count = inputs["input_ids"].shape[1]
    repeated = {
        name: given.expand(count + 1, *given.shape[1:]) if isinstance(given, Tensor) else given
        for name, given in inputs.items()
    }
    found: list[Tensor] = []
    handles, called = watch(body, found)

    def values(number: int, given: Tensor) -> Tensor:
        if number != call:
            return given
        called()
        return change(given)

    try:
        with EagerAttention([count], count + 1, values), torch.no_grad():
            body(**repeated)
    except _EnoughError:
        pass
    finally:
        for handle in handles:
            handle.remove()
    if not found or found[0].numel() % (count * (count + 1)):
        raise NotSeenError("what follows the attention was not seen")
    output = found[0]
    if output.shape[:2] == (count, count + 1):  # XLNet has the token first
        output = output.transpose(0, 1)
    return output.reshape(count + 1, count, -1)


def _watch_projection(body: nn.Module, found: list[Tensor]) -> tuple[list[Any], Callable[[], None]]:
    waiting = False

    def called() -> None:
        nonlocal waiting
        waiting = True

    def note(_module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        # A gate's own projection may come first: it is given the same in every copy of the text.
        if waiting and not _alike(args):
            found.append(output)
            raise _EnoughError

    projections = [m for m in body.modules() if any(p.dim() == 2 for p in m.parameters(recurse=False))]
    return [module.register_forward_hook(note) for module in projections], called


def _alike(args: tuple[Any, ...]) -> bool:
    """Whether a module is given the same for each copy of the text."""
    given = args[0] if args else None
    return isinstance(given, Tensor) and torch.allclose(given, given[:1].expand_as(given), rtol=1e-4, atol=1e-5)


def _watch_block(body: nn.Module, found: list[Tensor]) -> tuple[list[Any], Callable[[], None]]:
    running: list[nn.Module] = []
    wanted: list[nn.Module] = []

    def begin(module: nn.Module, _args: object) -> None:
        running.append(module)

    def end(module: nn.Module, _args: object, output: Any) -> None:
        running.pop()
        if wanted and wanted[0] is module:
            found.append(output[0] if isinstance(output, tuple | list) else output)
            raise _EnoughError

    def called() -> None:
        if not running:
            raise NotSeenError("the attention is in no list of layers")
        wanted.append(running[-1])

    blocks = [
        module
        for name, module in body.named_modules()
        if _BLOCK.fullmatch(name) and not isinstance(module, nn.ModuleList)
    ]
    handles = [module.register_forward_pre_hook(begin) for module in blocks]
    return handles + [module.register_forward_hook(end) for module in blocks], called


@contextmanager
def interaction_modified(net: PreTrainedModel, lengths: Sequence[int]) -> Iterator[None]:
    """Inside, an eager pass has the backward rules of GIM (Edin et al.): softmax at twice its temperature, a quarter of
    the gradient at queries and keys, half at values, and norms that scale by constants."""
    norms = [m for m in net.modules() if type(m).__name__.endswith("Norm") and not list(m.children())]
    for module in norms:
        module.forward = _by_constants(module.forward)
    try:
        # Queries and keys meet nowhere but in the scores, so their share is taken there.
        with EagerAttention(lengths, 1, lambda _call, values: _share(values, 0.5), _warm_softmax):
            yield
    finally:
        for module in norms:
            del module.forward


def _share(given: Tensor, share: float) -> Tensor:
    return given * share + (given * (1 - share)).detach()


def _warm_softmax(scores: Tensor) -> Tensor:
    """Softmax, with a quarter of the gradient of the softmax at temperature 2, without that temperature's factor."""
    warm = 2 * (scores / 2).softmax(-1)
    return 0.25 * warm + (scores.softmax(-1) - 0.25 * warm).detach()


def _by_constants(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The norm as a product of its input, centred where it centres, with what it has multiplied it by."""

    def scaled(x: Tensor) -> Tensor:
        with torch.no_grad():
            output, nothing = forward(x), forward(torch.zeros_like(x))
            centres = torch.allclose(forward(x + 1), output, rtol=1e-3, atol=1e-4)
        read = x - x.mean(-1, keepdim=True) if centres else x
        factor = ((output - nothing) / read.detach()).nan_to_num(0.0, 0.0, 0.0)
        return read * factor + (output - read.detach() * factor)

    return scaled


def eager_copy(net: PreTrainedModel, dtype: torch.dtype | None = None) -> PreTrainedModel:
    """A copy that runs the model's own eager attention."""
    net = deepcopy(net).eval()
    if net._can_set_attn_implementation():
        net.set_attn_implementation("eager")
    net.config._attn_implementation = "eager"  # Falcon reads it as it runs
    return net if dtype is None else net.to(dtype)
