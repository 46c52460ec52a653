"""Changes to a single forward pass: other embeddings, another forward, an early end, or one that is asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import decoder_embeddings, embedding_layer, is_encoder_decoder, task_of
from attnscope.models.thread_bound import here_only, undone_by
from attnscope.models.typed import on_gradient


class EarlyExit(BaseException):
    """Ends a forward pass whose rest is not needed. Not an Exception, so that no model catches it."""


@contextmanager
def hooked(module: nn.Module, hook: Callable[..., Any]) -> Iterator[None]:
    """Inside, `hook` sees what the module makes, as one registered last with `register_forward_hook` does."""
    handle = module.register_forward_hook(here_only(hook))
    with undone_by(handle.remove):
        yield


@contextmanager
def embedding_leaf(
    net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None = None, ids: Tensor | None = None
) -> Iterator[list[Tensor]]:
    """Inside, the text's embeddings in a forward pass, or what `change` makes of them, take a gradient.

    ids: the text's, (batch, token), where the model may embed more than these (Longformer pads to its windows).

    The model still receives its input ids, so that whatever it derives from them (positions, token types) stays as it
    is. Yields the list to which the leaf, (batch, token, hidden), is added.
    """
    leaves: list[Tensor] = []

    def leaf(output: Tensor) -> Tensor:
        leaves.append((change(output) if change else output).detach().requires_grad_())
        return leaves[0].clone()  # which the model may change in place

    with _embeddings(net, leaf, ids):
        yield leaves


@contextmanager
def embeddings_replaced(
    net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None, ids: Tensor | None = None
) -> Iterator[None]:
    """Inside, the text's embeddings in a forward pass go through `change`. ids: as in `embedding_leaf`."""
    with nullcontext() if change is None else _embeddings(net, change, ids):
        yield


@contextmanager
def _embeddings(net: PreTrainedModel, change: Callable[[Tensor], Tensor], text: Tensor | None = None) -> Iterator[None]:
    """Inside, the embedding layer's first output in a forward pass goes through `change`.

    A classifier with encoder and decoder reads the text twice: what became of it is there in the decoder too. The
    decoder of any other model has a text of its own, which stays as it is.
    """
    first: list[_Embedded] = []
    twice = is_encoder_decoder(net) and task_of(net) != "encoder-decoder"

    def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if not first:
            if module is not layers[0]:
                return None
            own, more = of_text(net, args[0], output, text)
            first.append(_Embedded(args[0], output.detach(), torch.cat([change(own), more], 1)))
            return first[0].after.transpose(0, 1) if _token_first(args[0], text) else first[0].after
        return first[0].in_decoder(args[0], output) if twice else None

    layers = [embedding_layer(net), *(decoder_embeddings(net) if twice else ())]
    with ExitStack() as stack:
        for layer in dict.fromkeys(layers):
            stack.enter_context(hooked(layer, hook))
        yield


def _token_first(ids: Tensor, text: Tensor | None) -> bool:
    """Whether a model turns the text, (batch, token), round before it embeds it (XLNet)."""
    if text is None or ids.dim() != 2 or ids.T.shape != text.shape:
        return False
    text = text.to(ids)
    return torch.equal(ids.T, text) and not torch.equal(ids, text)


def one_tensor(part: nn.Module, output: Any) -> Tensor:
    """What an embedding layer gave. Raises ModelError where that is more than embeddings (I-BERT adds their scale)."""
    if not isinstance(output, Tensor):
        raise ModelError(
            f"{type(part).__name__} has no plain embeddings (I-BERT's are integers with a scale), so that nothing can "
            "be moved along them: use deletion, or occlusion with the mask token"
        )
    return output


def of_text(net: PreTrainedModel, ids: Tensor, output: Tensor, text: Tensor | None) -> tuple[Tensor, Tensor]:
    """The embeddings of the text's tokens, and those that the model puts after them (Longformer pads to its windows).

    Raises ModelError where tokens of the model's own stand before the text, or where there are no plain embeddings.
    """
    output = one_tensor(net, output)
    if _token_first(ids, text):
        return output.transpose(0, 1), output.transpose(0, 1)[:, :0]
    if text is None or ids.shape == text.shape:
        return output, output[:, :0]
    count = text.shape[1]
    if ids.shape[1] < count or not torch.equal(ids[:, :count], text.to(ids)):
        raise ModelError(
            f"{type(net).__name__} reads tokens of its own before the text, so that embeddings cannot be told apart: "
            "use deletion"
        )
    return output[:, :count], output[:, count:]


@dataclass(frozen=True)
class _Embedded:
    """A text's ids, (batch, token), its embeddings and what became of them, (batch, token, hidden)."""

    ids: Tensor
    before: Tensor
    after: Tensor

    def in_decoder(self, ids: Tensor, output: Tensor) -> Tensor:
        """The decoder's embeddings of these ids: what became of the text where it stands there, one place later."""
        if ids.shape != self.ids.shape:
            return output
        same = (ids == self.ids.roll(1, 1)) & (torch.arange(ids.shape[1], device=ids.device) > 0)
        if not torch.equal(output[same], self.before.roll(1, 1)[same]):
            raise ModelError(
                "the encoder and the decoder have embeddings of their own, so that a word has no one embedding: use "
                "deletion, or occlusion with the mask token"
            )
        return torch.where(same[..., None], self.after.roll(1, 1), output)


@contextmanager
def forward_replaced(module: nn.Module, forward: Callable[..., Any], *, name: str = "forward") -> Iterator[None]:
    """Inside, calling the module calls `forward` instead; in other threads it is as before."""
    with _attribute_replaced(module, name, here_only(forward, getattr(module, name))):
        yield


@contextmanager
def _attribute_replaced(module: nn.Module, name: str, value: object) -> Iterator[None]:
    before = vars(module).get(name)  # device_map puts a wrapper there

    def restore() -> None:
        if before is None:
            vars(module).pop(name, None)
        else:
            setattr(module, name, before)

    with undone_by(restore):
        setattr(module, name, value)
        yield


@contextmanager
def own_forward_wrapped(module: nn.Module, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Inside, calling the module calls what `wrap` makes of its forward, at a time when its weights are there.

    accelerate puts a wrapper around a forward that brings the weights from elsewhere, and calls the own one inside.
    """
    name = "_old_forward" if "_old_forward" in vars(module) else "forward"
    with forward_replaced(module, wrap(getattr(module, name)), name=name):
        yield


@contextmanager
def output_replaced(module: nn.Module, output: Any) -> Iterator[None]:
    """Inside, calling the module gives `output`, and no hook of the module's sees or changes it a second time."""
    # Torch calls this in the place of forward and all hooks, if it is there.
    name = "_compiled_call_impl"
    call = here_only(lambda *_args, **_named: output, getattr(module, name) or module._call_impl)
    with _attribute_replaced(module, name, call):
        yield


class Interrupted(BaseException):
    """Ends work that nobody waits for. Not an Exception, so that no model catches it."""


@contextmanager
def interruptible(net: nn.Module, check: Callable[[], None]) -> Iterator[None]:
    """Inside, `check` is called after each layer of this thread's passes, forward and backward.

    It may raise Interrupted, which ends the pass; the model is left as it was.
    """

    def hook(_module: nn.Module, _args: object, output: Any) -> None:
        check()
        hidden = output[0] if isinstance(output, tuple) and output else output
        if isinstance(hidden, Tensor) and hidden.requires_grad:
            on_gradient(hidden, lambda _gradient: check())

    with ExitStack() as stack:
        for layer in layers_of(net):
            stack.enter_context(hooked(layer, hook))
        yield


def layers_of(net: nn.Module) -> list[nn.Module]:
    """The model's layers: the members of its lists of modules; of lists within lists, those of the outer ones."""
    lists = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.ModuleList)]
    outer = [m for name, m in lists if not any(name.startswith(f"{other}.") for other, _ in lists)]
    return [layer for members in outer for layer in members]
