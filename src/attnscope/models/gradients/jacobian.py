"""How far each token's way from a baseline to the text moves the text's vector: integrated Jacobians, contracted.

The Jacobian of a vector of hundreds of numbers at all embeddings is large, and of it only products with one direction a
token are needed. Each is a derivative along that direction, which goes forward with the pass: as many passes as there
are tokens, side by side, instead of as many as the vector has numbers.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.embeddings import readout_embeddings
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import bar
from attnscope.models.targets.pooling import Pooling
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.models.typed import split

# What torch says where a part has no derivative forwards, or none along several directions at once.
_SIGNS = ("forward AD", "forward-mode", "jvp", "vmap")


@dataclass(frozen=True)
class Movement:
    """What moves a text's vector from the baseline to where it is; float64 on the CPU.

    by_token: (hidden, token), ∫₀¹ ∂vector/∂e_t (b + α(e − b)) · (e_t − b) dα; their sum is end − start, up to the
              error of the integral.
    start, end: (hidden,) the vector at the baseline and on the text.
    """

    by_token: Tensor
    start: Tensor
    end: Tensor


def movement(
    net: PreTrainedModel,
    pooling: Pooling,
    encoded: Encoded,
    baseline: Tensor,
    points: Sequence[tuple[float, float]],
) -> Movement:
    """The movement of a text's vector, as it goes into the product that compares it.

    baseline: (hidden,), where a token that is not special starts; special ones stay. points: on the path, from 0 to 1,
    each with its weight. Raises ModelError where the model cannot be differentiated forwards.
    """
    readout = Readout(encoded.inputs, (), (), (), pooling.name)
    text = readout_embeddings(net, readout)
    length = len(encoded.tokens)
    moving = [i for i, token in enumerate(encoded.tokens) if not token.special]
    way = torch.zeros_like(text)
    way[moving] = text[moving] - baseline
    at_once = max(1, BUDGET // (length * len(moving)))
    with unchanged(net), torch.no_grad(), _differentiable(net), bar("passes", len(points) * len(moving)) as done:
        inputs = batch_inputs(net, [readout])
        vectors = partial(_vectors, net, pooling, inputs)
        start, end = vectors(torch.stack([text - way, text])).double().cpu()
        by_token = torch.zeros(len(end), length, dtype=torch.float64)
        for part in split(torch.tensor(points, dtype=torch.float64), at_once):
            at = text - (1 - part[:, 0, None, None]) * way
            for tokens in split(torch.tensor(moving), BUDGET // (len(part) * length)):
                along = torch.zeros(len(tokens), *text.shape, dtype=torch.float64)
                along[torch.arange(len(tokens)), tokens] = way[tokens]
                moved = vmap(partial(_derivative, vectors, at))(along).double().cpu()  # (token, point, hidden)
                by_token[:, tokens] += torch.einsum("tph,p->ht", moved, part[:, 1])
                done(len(part) * len(tokens))
    return Movement(by_token, start, end)


def _vectors(net: PreTrainedModel, pooling: Pooling, inputs: Mapping[str, Tensor], at: Tensor) -> Tensor:
    """(point, token, hidden) -> (point, hidden): the vectors of a text with these embeddings."""
    several = {name: tensor.expand(len(at), -1) for name, tensor in inputs.items()}
    with embeddings_replaced(net, at.to, several["input_ids"]):
        return pooling.factors(pooling.vectors(net, several))


def _derivative(vectors: Callable[[Tensor], Tensor], at: Tensor, along: Tensor) -> Tensor:
    """(point, hidden): how the vectors at these points change along one direction, (token, hidden)."""
    changed: Tensor = jvp(vectors, (at,), (along.expand_as(at),))[1]
    return changed


@contextmanager
def _differentiable(net: PreTrainedModel) -> Iterator[None]:
    """Attention by plain products, the only one that has a derivative forwards; other parts without one are named."""
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            # torch loads its rules for derivatives forwards with what it calls deprecated itself.
            warnings.filterwarnings("ignore", "`torch.jit.script`", DeprecationWarning)
            yield
    except RuntimeError as error:
        if not isinstance(error, NotImplementedError) and not any(sign in str(error) for sign in _SIGNS):
            raise
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{type(net).__name__} has a part without a derivative forwards, which the matrix of two texts needs "
            f"({reason}); use explain(…, similar_to=…)"
        ) from error
