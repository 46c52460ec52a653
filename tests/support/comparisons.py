"""What tests of methods compare with: a text's ids, its attention by the model's own eager code, a tolerance."""

import numpy as np
import torch
from numpy.typing import NDArray

import attnscope as ats
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from reference.textbook import eager_attention


def ids(model: ats.Model, text: str) -> list[int]:
    return list(model.tokenizer(text)["input_ids"])


def model_inputs(model: ats.Model, text: str) -> dict[str, torch.Tensor]:
    """What the model's forward takes for the text, (1, token)."""
    return tensors(model.model, encode(model.tokenizer, text).inputs)


def eager(model: ats.Model, text: str) -> list[torch.Tensor]:
    """Of each layer (head, query, key)."""
    return [layer[0] for layer in eager_attention(model.model, model_inputs(model, text))]


def close(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    """Within 1e-4 of the largest score."""
    return bool(np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max() + 1e-7)


def mean_vector(model: ats.Model) -> torch.Tensor:
    """(hidden,) The mean embedding of the vocabulary."""
    return model.model.get_input_embeddings().weight.detach().mean(0)
