"""The call: streamed texts, two models, and what a survey's folder has of it."""

from pathlib import Path

import numpy as np
import pytest
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.studies.heads.statistics import OF_TEXTS, statistics_of

TEXTS = ["a b c d e", "f a f", "", *(f"{'abcdef'[i % 6]} b c {'fedcba'[i % 5]}" for i in range(80))]


@pytest.fixture(scope="module")
def model() -> ats.Model:
    return small("llama", 2.0)


def test_means_over_a_stream_of_texts(model: ats.Model) -> None:
    profiles = ats.head_profiles(model, (text for text in TEXTS))
    values = np.stack([found for _, _, found in statistics_of(model, TEXTS, {})])
    for name in OF_TEXTS:
        np.testing.assert_allclose(profiles.mean[profiles.statistics.index(name)], values.mean(0)[OF_TEXTS.index(name)])
    assert (profiles.count[0] == len(TEXTS) - 1).all(), "the empty text has none"
    number, _ = profiles.strongest[0][0][0]
    assert profiles.examples[number] == TEXTS[number]
    assert "induction" in profiles.statistics
    with pytest.raises(InputError, match="no text"):
        ats.head_profiles(model, [""])


def test_two_models_side_by_side(model: ats.Model) -> None:
    profiles = ats.head_profiles(model, iter(TEXTS[:4]), other=small("llama", 4.0))
    assert profiles.other is not None
    assert profiles.other.places == profiles.places
    assert not np.allclose(profiles.other.mean[0], profiles.mean[0])


def test_a_survey_has_the_same_heads(model: ats.Model, tmp_path: Path) -> None:
    survey = ats.survey(model, TEXTS, to=tmp_path / "out", part_texts=20, heads=True)
    table = survey.heads().to_pandas()
    profiles = ats.head_profiles(model, TEXTS)
    assert len(table) == profiles.mean.size
    np.testing.assert_allclose(table["mean"], profiles.mean.ravel())
    np.testing.assert_allclose(table["low"], profiles.low.ravel())
    drawn = survey.head_profiles()
    assert drawn.places == profiles.places
    assert drawn.head(0, 1)["first"]["texts"][0][1] in TEXTS
    again = ats.survey(model, TEXTS, to=tmp_path / "out", part_texts=20, heads=True)
    assert again.heads().equals(survey.heads())
    with pytest.raises(InputError, match="heads=True"):
        ats.survey(model, TEXTS, to=tmp_path / "plain").head_profiles()


def test_the_effect_on_a_target_is_that_of_head_effects(model: ats.Model, tmp_path: Path) -> None:
    texts = ["a b c", "d e f a", ""]
    profiles = ats.head_profiles(model, texts, target=" d", against=" e")
    effects = ats.head_effects(model, texts[:2], " d", against=" e", exact=0)
    row = profiles.mean[profiles.statistics.index("effect")]
    np.testing.assert_allclose(row, effects.estimate.ravel(), rtol=1e-6)
    assert "effect" not in ats.head_profiles(model, texts).statistics
    survey = ats.survey(model, texts, to=tmp_path / "out", heads=True, target=" d", against=" e")
    drawn = survey.head_profiles()
    np.testing.assert_allclose(drawn.mean[drawn.statistics.index("effect")], row)
