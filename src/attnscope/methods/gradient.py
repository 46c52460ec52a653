"""Attention by gradient (PromptRobust): how strongly the loss reacts to each word."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.attribution import Attribution
from attnscope.errors import InputError
from attnscope.methods.result import attribution
from attnscope.models.encode import encode
from attnscope.models.load import Model, load
from attnscope.models.run import tensors
from attnscope.models.targets import gradient_at_embeddings

PRESETS = (None, "promptrobust", "vocabulary")
POOLS: dict[str, Callable[[NDArray[np.float64]], np.float64]] = {"sum": np.sum, "mean": np.mean, "max": np.max}


def gradient(
    model: Model,
    text: str,
    *,
    norm: Literal["l2", "l1"] = "l2",
    pool: Literal["sum", "mean", "max"] = "sum",
    preset: Literal["promptrobust", "vocabulary"] | None = None,
    chat: bool = False,
    truncate: bool = False,
) -> Attribution:
    """The norm of the loss's gradient at each token's embedding; subwords pooled into words (arXiv:2306.04528).

    score(token i) = ‖∂L/∂e_i‖, where L is the model's loss with `labels = input_ids` (a classifier: the loss of the
    label it predicts) and e_i the output of the embedding layer at position i. Never negative; in nats per
    unit of embedding.

    norm:   "l2" or "l1", over the embedding's dimensions.
    pool:   how a word's score comes from its tokens'.
    preset: "promptrobust": a word's score is the norm of the *sum* of its tokens' gradients, as its authors' own code
            does. "vocabulary": a token's score is the norm of its row in the gradient of the embedding matrix: the sum
            over all positions of the same token, so that equal tokens share one score. (Where the embedding matrix also
            is the output head, the head's share of that gradient is not in it.)

    Special tokens stay in the input and leave the picture. It misleads where the loss has saturated (a sure prediction
    has a small gradient however much it rests on the word), and a norm has no sign: a word may speak for or against.

    Raises TextError, TextTooLongError, ModelError (no head to take a loss from), InputError, NonFiniteError.
    """
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; choose from 'promptrobust', 'vocabulary', or none")
    if norm not in ("l2", "l1") or pool not in POOLS:
        raise InputError(f"norm={norm!r}, pool={pool!r}: norm is 'l2' or 'l1', pool is 'sum', 'mean' or 'max'")
    model = load(model)
    encoded = encode(model.tokenizer, text, chat=chat, max_tokens=model.positions, truncate=truncate)
    inputs = tensors(model.model, encoded.inputs)
    vectors, loss = gradient_at_embeddings(model.model, inputs)  # (token, hidden)
    if preset == "vocabulary":
        vectors = _shared_by_id(vectors, inputs["input_ids"][0].cpu())
    order = 2 if norm == "l2" else 1
    tokens = torch.linalg.vector_norm(vectors.double(), ord=order, dim=-1).numpy()
    if preset == "promptrobust":
        words = [_norm_of_sum(vectors, word.tokens, order) for word in encoded.words]
    else:
        words = [float(POOLS[pool](tokens[list(word.tokens)])) for word in encoded.words]
    return attribution(
        model,
        encoded,
        kind="importance",
        method="gradient",
        parameters={"norm": norm, "pool": pool, "preset": preset, "target": _target(model), "loss": loss},
        token_scores=tokens,
        word_scores=words,
    )


def _shared_by_id(vectors: Tensor, ids: Tensor) -> Tensor:
    """(token, hidden) -> (token, hidden): each position gets the sum over the positions of the same id."""
    _, row = torch.unique(ids, return_inverse=True)
    summed = torch.zeros(int(row.max()) + 1, vectors.shape[1], dtype=vectors.dtype).index_add_(0, row, vectors)
    return summed[row]


def _norm_of_sum(vectors: Tensor, tokens: tuple[int, ...], order: int) -> float:
    return float(torch.linalg.vector_norm(vectors[list(tokens)].double().sum(0), ord=order))


def _target(model: Model) -> str:
    kind = type(model.model).__name__
    if "Classification" in kind:
        return "loss of the predicted label"
    return "loss of the text itself (labels = input ids)"
