"""Maps from what was kept are those of a pass of their own, in every way that attention is captured."""

import numpy as np
import pytest
import torch
from tiny_models import small, small_linear

import attnscope as ats
from attnscope.methods.attention import maps
from attnscope.methods.live.kept_attention import keep_attention


@pytest.mark.parametrize("family", ["llama", "gpt2", "bert", "bloom", "gemma2", "mistral"])
def test_they_are_the_models_own(family: str) -> None:
    model = small(family)
    kept = keep_attention(model, "a b c d e f")
    whole = ats.attention_maps(model, "a b c d e f", top=0)
    again = kept.maps()
    np.testing.assert_array_equal(again.codes, whole.codes)
    for name, statistic in whole.statistics.items():
        np.testing.assert_allclose(again.statistics[name], statistic, rtol=1e-5, atol=1e-6)
    one = kept.maps([2], [1])
    np.testing.assert_array_equal(one.codes[0, 0], whole.codes[2, 1])
    assert kept.bytes > 0


def test_the_model_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep_attention(small("llama"), "a b c d")
    monkeypatch.setattr(maps, "capture", lambda *_: pytest.fail("the model ran"))
    kept.maps([0], [0])


def test_what_is_kept_grows_with_the_tokens_alone() -> None:
    model = small("llama")
    texts = [" ".join("abcdefgh"[i % 8] for i in range(count)) for count in (20, 40, 80)]
    short, middle, long = (keep_attention(model, text).bytes for text in texts)
    assert long - middle == 2 * (middle - short)


def test_linear_attention_is_run_for_each_map() -> None:
    torch.manual_seed(0)
    model = small_linear("mamba2")
    kept = keep_attention(model, "a b c d e")
    np.testing.assert_allclose(kept.maps().codes, ats.attention_maps(model, "a b c d e", top=0).codes)
