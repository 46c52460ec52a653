"""Without any of its tokens, what comes next is what the model says of the rest, whether its prefix was kept or not."""

from itertools import combinations

import pytest
import torch
from tiny_models import small

from attnscope.errors import InputError
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.perturbation.kept_prefix import keep_prefix


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "mistral", "bloom"])
def test_any_tokens_may_go(family: str) -> None:
    model = small(family, sharp=2.0)
    (encoded,) = encoded_texts(model, "a b c d e f g h")
    kept = keep_prefix(model, encoded)
    ids = kept.prompt.inputs["input_ids"]
    for removed in [(), *combinations(range(8), 1), (0, 7), (6, 7), (2, 3, 5), (1, 2, 3, 4, 5, 6, 7)]:
        left = [token for i, token in enumerate(ids) if i not in removed]
        with torch.no_grad():
            expected = model.model(torch.tensor([left])).logits[0, -1].log_softmax(-1)
        torch.testing.assert_close(kept.without(removed), expected, rtol=1e-3, atol=1e-4)
    # One answer after the other: what is kept has not changed.
    assert kept.cache is None or kept.cache.get_seq_length() == len(ids)
    with pytest.raises(InputError, match="nothing to read"):
        kept.without(range(8))


def test_a_prefix_is_kept_where_the_model_can_go_on_from_it() -> None:
    model = small("llama")
    (encoded,) = encoded_texts(model, "a b c d e f g h")
    kept = keep_prefix(model, encoded)
    assert kept.cache is not None
    # Keys and values of 3 layers × 2 key heads × 8 tokens × 8 numbers, and what comes next.
    assert kept.bytes == 2 * 3 * 2 * 8 * 8 * 4 + 64 * 4
    with pytest.raises(InputError, match="does not continue"):
        keep_prefix(small("bert"), encoded)
