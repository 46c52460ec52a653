"""The same model with other numbers in it: embeddings moved a little, or all weights shuffled.

The nearby model is the model itself inside a context; the randomised one is a copy.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attnscope.errors import ModelError
from attnscope.models.architecture import embedding_layer
from attnscope.models.hooks import hooked
from attnscope.models.loading.load import Model
from attnscope.models.quantisation import quantisation_of
from attnscope.models.typed import weight_of

# Directions drawn for the vocabulary; ids this far apart share one.
_DIRECTIONS = 8192


@contextmanager
def nearby(model: Model, radius: float, seed: int) -> Iterator[None]:
    """Inside, the embedding of every token lies `radius` of its own length away, in a random direction.

    The same token moves the same way wherever it stands, so that removing words still means the same.
    """
    layer = embedding_layer(model.model)
    width = weight_of(layer).shape[-1]
    directions = torch.randn(_DIRECTIONS, width, generator=torch.Generator().manual_seed(seed))
    directions = directions / directions.norm(dim=-1, keepdim=True)

    def move(_module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        ids: Tensor = args[0]
        direction = directions[ids.cpu() % _DIRECTIONS].to(output)
        moved: Tensor = output + radius * output.norm(dim=-1, keepdim=True) * direction[..., : output.shape[-1]]
        return moved

    with hooked(layer, move):
        yield


def randomised(model: Model, seed: int = 0) -> Model:
    """A copy whose weights have the same numbers, each matrix in another order. It takes the memory of the model.

    Raises ModelError for weights that cannot be shuffled: quantised ones, and such as are kept elsewhere.
    """
    kept_elsewhere = any(parameter.is_meta for parameter in model.model.parameters())
    if kept_elsewhere or (quantisation_of(model.model) is not None):
        what = "are kept elsewhere (offloaded)" if kept_elsewhere else f"are quantised ({quantisation_of(model.model)})"
        raise ModelError(
            f"the weights of {type(model.model).__name__} {what} and cannot be shuffled: leave the metric "
            "randomisation out, or load the model without"
        )
    net = copy.deepcopy(model.model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:  # the scales of norms keep the numbers in range
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.reshape(-1)[order].view_as(parameter))
    return Model(net, model.tokenizer)
