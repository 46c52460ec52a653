"""A tiny random model, and what it says without some tokens by a plain loop."""

from collections.abc import Callable, Collection

import pytest
import torch
from tiny_models import small

import attnscope as ats

Textbook = Callable[[ats.Model, str, str, Collection[int]], list[float]]


@pytest.fixture
def llama() -> ats.Model:
    return small("llama", 2.0)


@pytest.fixture
def textbook() -> Textbook:
    """Each answer token's log-probability after the prompt without some of its tokens."""

    def run(model: ats.Model, prompt: str, answer: str, removed: Collection[int]) -> list[float]:
        before, after = (model.tokenizer(text)["input_ids"] for text in (prompt, answer))
        kept = [token for i, token in enumerate(before) if i not in removed]
        with torch.no_grad():
            rows = model.model(torch.tensor([[*kept, *after]])).logits[0].double().log_softmax(-1)
        return [float(rows[len(kept) - 1 + i, token]) for i, token in enumerate(after)]

    return run
