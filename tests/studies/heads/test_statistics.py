"""The statistics are those of the formulas on the model's own matrices."""

import numpy as np
import torch
from snapshot import forget_all
from tiny_models import small

from attnscope.results.corpus.head_profiles import PROFILE
from attnscope.studies.heads.statistics import OF_TEXTS, statistics_of

TEXTS = ["a b c d e", "", "f a f"]


def test_each_is_its_formula_on_eager_attention() -> None:
    model = small("llama", 2.0)
    forget_all()  # eager attention is asked for below
    found = {index: values for index, _, values in statistics_of(model, TEXTS, {})}
    assert set(found) == {0, 2}, "a text that cannot be read has none"
    assert set(OF_TEXTS) <= set(PROFILE)
    for index, values in found.items():
        encoding = model.tokenizer(TEXTS[index], return_tensors="pt")
        model.model.set_attn_implementation("eager")
        with torch.no_grad():
            matrices = model.model(**encoding, output_attentions=True).attentions
        model.model.set_attn_implementation("sdpa")
        a = torch.cat(matrices).double().numpy()  # (layer, head, query, key)
        n = a.shape[-1]
        i, j = np.indices((n, n))
        special = np.isin(encoding["input_ids"][0], model.tokenizer.all_special_ids)
        expected = {
            "entropy": -(a * np.log(np.where(a > 0, a, 1))).sum(-1).mean(-1),
            "distance": (a * abs(i - j)).sum(-1).mean(-1),
            "sink": a.mean(2).max(-1),
            "special": a[..., special].sum(-1).mean(-1),
            "previous": a[..., range(1, n), range(n - 1)].sum(-1) / n,
            "first": a[..., 0].mean(-1),
        }
        for name, want in expected.items():
            np.testing.assert_allclose(values[OF_TEXTS.index(name)], want.ravel(), atol=2e-5, err_msg=name)
