"""How the vectors of a text's tokens become one vector, and what compares the vectors of two texts.

A SentenceTransformer brings its own modules for it (pooling, dense layers, normalisation), and they are run as they
are; of another model that reads text its pooling has to be known.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import PreTrainedModel

from attnscope.errors import InputError, ModelError
from attnscope.models.architecture import accepted, errors_named, self_attention_body, task_of

# The poolings that a model's files may name, and ours for them.
POOLINGS = ("mean", "cls", "max", "last")
# (text, hidden), (reference, hidden) -> (text, reference)
_SIMILARITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine": lambda one, other: normalize(one, dim=-1) @ normalize(other, dim=-1).T,
    "dot": lambda one, other: one @ other.T,
    "euclidean": lambda one, other: -torch.linalg.vector_norm(one[:, None] - other[None], dim=-1),
    "manhattan": lambda one, other: -(one[:, None] - other[None]).abs().sum(-1),
}
# What they are called, as what is explained.
NAMES = {
    "cosine": "cosine similarity",
    "dot": "dot product",
    "euclidean": "negative Euclidean distance",
    "manhattan": "negative Manhattan distance",
}


@dataclass(frozen=True, eq=False)
class Pooling:
    """From token vectors to one vector for the text.

    kind:       one of POOLINGS; not looked at where there are modules.
    modules:    what a SentenceTransformer runs after its transformer.
    similarity: "cosine", "dot", "euclidean" or "manhattan".
    max_tokens: how many tokens are read; None: as many as the model has positions.
    dims:       how many of the vector's first numbers count; None: all.
    """

    kind: str = "mean"
    modules: tuple[nn.Module, ...] = ()
    similarity: str = "cosine"
    max_tokens: int | None = None
    dims: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in POOLINGS:
            raise InputError(f"pooling={self.kind!r}: choose from {', '.join(POOLINGS)}")
        if self.similarity not in _SIMILARITIES:
            raise ModelError(f"the similarity {self.similarity!r} is not known: {', '.join(_SIMILARITIES)} are")

    @property
    def name(self) -> str:
        """What it measures, in words."""
        return NAMES[self.similarity]

    def vectors(self, net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """(text, hidden) The vectors of a batch of texts, by one pass; float32 at least."""
        with errors_named(net):
            # A SentenceTransformer takes the model's own output; of a model with a head we leave the head out.
            reader = net if self.modules or not task_of(net) else self_attention_body(net)
            hidden: Tensor = reader(**accepted(reader, inputs))[0]
        mask = inputs.get("attention_mask")
        mask = torch.ones_like(inputs["input_ids"]) if mask is None else mask
        pooled = self._through_modules(hidden, inputs, mask) if self.modules else self._pooled(hidden, mask)
        return pooled[:, : self.dims].to(torch.promote_types(pooled.dtype, torch.float32))

    def similarities(self, vectors: Tensor, references: Tensor) -> Tensor:
        """(text, hidden), (reference, hidden) -> (text, reference)."""
        return _SIMILARITIES[self.similarity](vectors, references.to(vectors))

    def factors(self, vectors: Tensor) -> Tensor:
        """(text, hidden) What has to be multiplied for the similarity of two texts: unit vectors for a cosine.

        Raises ModelError for a distance, which is no product.
        """
        if self.similarity not in ("cosine", "dot"):
            what = self.name
            raise ModelError(
                f"this model compares texts by a {what}, which is no product of two vectors: the matrix of two "
                "texts needs similarity 'cosine' or 'dot'; use explain(…, similar_to=…)"
            )
        return normalize(vectors, dim=-1) if self.similarity == "cosine" else vectors

    def _pooled(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The mean over the text's tokens, special ones too; their largest numbers; or the first or last token's."""
        there = mask[..., None].to(hidden.dtype)
        if self.kind == "mean":
            exact = torch.promote_types(hidden.dtype, torch.float32)
            return (hidden.to(exact) * there).sum(1) / there.to(exact).sum(1)
        if self.kind == "max":
            return hidden.masked_fill(there == 0, -torch.inf).amax(1)
        place = mask.long().argmax(1) if self.kind == "cls" else mask.shape[1] - 1 - mask.flip(1).long().argmax(1)
        return hidden[torch.arange(len(hidden), device=hidden.device), place]

    def _through_modules(self, hidden: Tensor, inputs: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        features: dict[str, Any] = {**inputs, "attention_mask": mask, "token_embeddings": hidden}
        with _still(self.modules):
            for module in self.modules:
                try:
                    features = module(features)
                except KeyError as error:
                    raise ModelError(
                        f"{type(module).__name__} of this SentenceTransformer needs {error}, which its transformer "
                        "alone does not give"
                    ) from error
        vectors: Tensor = features["sentence_embedding"]
        return vectors


@contextmanager
def _still(modules: tuple[nn.Module, ...]) -> Iterator[None]:
    """Modules beside the model: in evaluation mode and without gradients of their own, and afterwards as before."""
    every = [part for module in modules for part in module.modules()]
    parameters = [parameter for part in every for parameter in part._parameters.values() if parameter is not None]
    training, trainable = [part.training for part in every], [parameter.requires_grad for parameter in parameters]
    try:
        for part in every:
            part.training = False
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for part, mode in zip(every, training, strict=True):
            part.training = mode
        for parameter, flag in zip(parameters, trainable, strict=True):
            parameter.requires_grad_(flag)
