"""Probes find what was planted, and say nothing of models that they are not for."""

import numpy as np
import pytest
import torch
from tiny_models import classifier, small

import attnscope as ats
from attnscope.models.attention.interface import AttentionCall
from attnscope.studies.heads import probes
from attnscope.studies.heads.probes import COPY, HAY, KEY, NEEDLE, places_of, probed, random_ids


@pytest.fixture(scope="module")
def model() -> ats.Model:
    model = small("llama", 2.0)
    model.model.config.max_position_embeddings = 256
    return model


def test_every_head_has_a_share(model: ats.Model) -> None:
    places = places_of(model)
    assert len(places) == 12
    first, second = probed(model, places)
    assert (first.statistics, second.statistics) == (("induction", "copying"), ("retrieval",))
    for sums in (first, second):
        assert ((sums.mean >= 0) & (sums.mean <= 1)).all()
    again, _ = probed(model, places)
    np.testing.assert_array_equal(again.mean, first.mean)


class _Pointing(AttentionCall):
    """Heads that look where they are told: head 0 by a rule, the others at the first token."""

    def __init__(self, tokens: int, heads: int, rule: dict[int, int]) -> None:
        self.batch, self.heads, self.queries, self.keys, self.rule = 1, heads, tokens, tokens, rule

    def weights(self, chosen: torch.Tensor) -> torch.Tensor:
        rows = torch.zeros(1, self.heads, len(chosen), self.keys)
        rows[..., 0] = 1
        for place, query in enumerate(chosen.tolist()):
            rows[0, 0, place] = 0
            rows[0, 0, place, self.rule.get(query, 0)] = 1
        return rows


def test_a_head_that_matches_prefixes_or_retrieves_has_all_of_it(
    model: ats.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ((0, 0), (0, 1))

    def prefix(_net: object, inputs: dict[str, torch.Tensor], _layers: object, see: object) -> None:
        tokens = inputs["input_ids"].shape[1]
        ids = inputs["input_ids"][0].tolist()
        start = tokens - 2 * COPY
        assert ids[start : start + COPY] == ids[start + COPY :]
        see(0, _Pointing(tokens, 2, {start + COPY + i: start + i + 1 for i in range(COPY)}))  # type: ignore[operator]

    monkeypatch.setattr(probes, "capture", prefix)
    values = probes._repeated(model, places, 0)
    assert values[0].tolist() == [1.0, 0.0]

    def retrieving(_net: object, inputs: dict[str, torch.Tensor], _layers: object, see: object) -> None:
        ids = inputs["input_ids"][0].tolist()
        # Where the last token of the key stood before, the needle follows.
        key = ids[-(KEY + NEEDLE - 1) : -(NEEDLE - 1)]
        there = next(i for i in range(len(ids)) if ids[i : i + KEY] == key) + KEY
        rule = {len(ids) - NEEDLE + i: there + i for i in range(NEEDLE)}
        see(0, _Pointing(len(ids), 2, rule))  # type: ignore[operator]

    monkeypatch.setattr(probes, "capture", retrieving)
    assert probes._needle(model, places, 3)[0].tolist() == [1.0, 0.0]
    assert HAY > KEY + NEEDLE


def test_random_tokens_are_not_special_and_the_same_each_time(model: ats.Model) -> None:
    ids = random_ids(model, 20, 3)
    assert ids == random_ids(model, 20, 3) != random_ids(model, 20, 4)
    assert not set(ids) & set(model.tokenizer.all_special_ids)


def test_only_causal_models_are_probed() -> None:
    model = classifier("Sequence")
    assert probed(model, ((0, 0),)) == []


@pytest.mark.slow
def test_the_induction_heads_of_a_real_model(smollm2: ats.Model) -> None:
    first, second = probed(smollm2, places_of(smollm2))
    assert first.mean[0].max() > 0.8
    assert np.median(first.mean[0]) < 0.1
    assert second.mean[0].max() > 0.8


def test_a_probe_longer_than_what_the_model_reads_is_left_out() -> None:
    model = small("gpt2", 2.0)
    assert model.positions is not None
    assert 2 * COPY < model.positions < HAY
    (only,) = probed(model, places_of(model))
    assert only.statistics == ("induction", "copying")
