"""The surrogate against a slow ridge regression, a planted linear model, and what is refused."""

import numpy as np
import pytest
from planted import CopyBack, copy_tokenizer
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.perturbation.surrogate import (
    _PENALTIES,
    _halves,
    _interactions,
    common_part,
    ridge_by_leave_one_out,
)


def slow_ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """The slopes by the normal equations with an intercept, and the error of fits that leave each sample out."""

    def fit(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        design = np.column_stack([rows, np.ones(len(rows))])
        ridge = np.diag([penalty] * rows.shape[1] + [0.0])
        return np.linalg.solve(design.T @ design + ridge, design.T @ values)

    error = 0.0
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        found = fit(x[others], y[others])
        error += float((y[i] - x[i] @ found[:-1] - found[-1]) ** 2)
    return fit(x, y)[:-1], error


def test_it_is_the_slow_ridge_with_the_best_penalty() -> None:
    generator = np.random.default_rng(0)
    x = _halves(5, 12, 3).astype(float)
    y = x @ np.array([1.0, -2.0, 0.0, 0.5, 3.0]) + generator.normal(0, 0.5, 12)
    centred = x - x.mean(0)
    scale = (np.linalg.svd(centred, compute_uv=False) ** 2).mean()
    fits = [slow_ridge(x, y, penalty * scale) for penalty in _PENALTIES]
    slopes, error = min(fits, key=lambda fit: fit[1])
    found, share, _ = ridge_by_leave_one_out(x, y[:, None])
    np.testing.assert_allclose(found[:, 0], slopes, atol=1e-8)
    assert share[0] == pytest.approx(1 - error / ((y - y.mean()) ** 2).sum())


def test_halves_are_balanced_and_seeded() -> None:
    there = _halves(7, 16, 0)
    assert (there.mean(0) == 0.5).all()
    assert set(there.sum(1)) == {3, 4}
    assert (there == _halves(7, 16, 0)).all()
    assert (there != _halves(7, 16, 1)).any()


def test_a_planted_word_is_found_at_any_length() -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    text = "a b c d e f g h i j k l m n o p q r s e t"
    result = ats.explain(model, text, method="surrogate", target="e", samples=32)
    assert result.words[int(result.scores.argmax())].start == text.rindex("e")
    assert result.asked.options["replacement"] == "mean"
    again = ats.explain(model, text, method="surrogate", target="e", samples=32)
    assert again == result


@pytest.mark.parametrize("text", ["e", "e f"])
def test_a_text_of_one_or_two_words_has_the_change_without_each(text: str) -> None:
    """Two words are never there together in a half, and yet both may speak for the target."""
    model = small("llama")
    result, one_by_one = (
        ats.explain(model, text, method, target="e", replacement="mean") for method in ("surrogate", "occlusion")
    )
    assert result.signed
    np.testing.assert_allclose(result.scores, one_by_one.scores, rtol=0.02)


@pytest.mark.parametrize("units", [1, 2, 3, 6, 7, 12])
def test_slopes_of_a_sum_are_its_parts_also_where_all_have_one_sign(units: int) -> None:
    parts = np.linspace(0.5, 2.0, units)
    there = _halves(units, 32, 0).astype(float)
    values, whole = (there @ parts)[:, None], np.array([parts.sum()])
    slopes, _, _ = ridge_by_leave_one_out(there, values)
    slopes += common_part(there, slopes, whole, values)
    np.testing.assert_allclose(slopes[:, 0], parts, atol=0.05)


@pytest.mark.parametrize("samples", [3, 2, 0])
def test_an_odd_number_of_samples_is_refused(samples: object) -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    with pytest.raises(InputError, match="even number"):
        ats.explain(model, "a b c", method="surrogate", target="e", samples=samples)


def test_the_standard_error_says_how_far_other_halves_would_be() -> None:
    model = small("llama")
    text = "a b c d e f g h i j"
    each = [ats.explain(model, text, method="surrogate", target="c", samples=64, seed=seed) for seed in range(6)]
    between = np.std([one.scores for one in each], axis=0, ddof=1).mean()
    said = np.mean([one.measured.standard_error for one in each])
    assert between / 3 < said < between * 3
    assert len(each[0].measured.standard_error) == 10


def test_a_tolerance_takes_more_samples_and_says_how_many(caplog: pytest.LogCaptureFixture) -> None:
    model = small("llama")
    text = "a b c d e f g h"
    few = ats.explain(model, text, method="surrogate", target="c", samples=8)
    more = ats.explain(model, text, method="surrogate", target="c", samples=8, tolerance=0.15)
    assert max(few.measured.standard_error) > 0.15 * np.abs(few.scores).max()
    assert more.asked.options["samples"] > 8
    assert max(more.measured.standard_error) <= 0.15 * np.abs(more.scores).max()
    same = ats.explain(model, text, method="surrogate", target="c", samples=more.asked.options["samples"])
    np.testing.assert_allclose(more.scores, same.scores, atol=1e-6)
    ats.explain(model, text, method="surrogate", target="c", samples=8, tolerance=1e-9)
    assert "still over the tolerance" in caplog.text
    with pytest.raises(InputError, match="tolerance=0"):
        ats.explain(model, text, method="surrogate", target="c", tolerance=0)


def test_halves_seldom_part_two_units_alike() -> None:
    def likeness(there: np.ndarray) -> float:
        signs = np.where(there[::2], 1, -1)
        return float(np.triu((signs.T @ signs) ** 2, 1).sum())

    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(20):
        halves = np.array([generator.permutation(12) < 6 for _ in range(8)])
        drawn.append(likeness(np.repeat(halves, 2, axis=0)))
    kept = [likeness(_halves(12, 16, seed)) for seed in range(20)]
    assert np.mean(kept) < np.mean(drawn)
    assert (_halves(12, 16, 4) == _halves(12, 32, 4)[:16]).all()


def found_in(there: np.ndarray, values: np.ndarray) -> list[tuple[int, int, float, float, float]]:
    slopes, _, _ = ridge_by_leave_one_out(there.astype(float), values[:, None])
    return _interactions(there, values, slopes[:, 0])


def test_a_pair_that_works_only_together_is_one_finding() -> None:
    there = _halves(8, 64, 0)
    z = there.astype(float)
    alone = z @ np.array([0.2, 2.0, 0.1, 0.0, -1.5, 0.3, -0.1, 0.4])
    assert found_in(there, alone) == []
    ((first, second, value, low, high),) = found_in(there, alone + 3 * z[:, 1] * z[:, 4])
    assert (first, second) == (1, 4)
    assert value == pytest.approx(3)
    assert low <= value <= high
    # Each unit's own part, however large, leaves the pairs' means alone.
    noise = np.random.default_rng(1).normal(0, 0.3, len(there))
    ((*pair, value, low, high),) = found_in(there, 100 * alone + 3 * z[:, 1] * z[:, 4] + noise)
    assert pair == [1, 4]
    assert low < 3 < high


@pytest.mark.parametrize(("units", "samples"), [(9, 16), (12, 64), (20, 32)])
def test_a_pair_is_seldom_found_where_there_is_none(units: int, samples: int) -> None:
    false = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        there = _halves(units, samples, seed)
        values = there @ generator.normal(size=units) + generator.normal(0, 0.5, samples)
        false += bool(found_in(there, values))
    assert false <= 20


@pytest.mark.parametrize("units", [1, 2, 3, 4])
def test_units_that_are_too_few_to_tell_pairs_apart_have_none(units: int) -> None:
    there = _halves(units, 16, 0)
    assert found_in(there, there.all(1).astype(float) + np.arange(16) % 3) == []


def test_interactions_are_kept_with_the_characters_of_their_words() -> None:
    text = "a b c d e f g h i j"
    result = ats.explain(small("llama"), text, method="surrogate", target="c", samples=256)
    assert result.measured.interactions
    spans = {(word.start, word.end) for word in result.words}
    for first, second, value, low, high in result.measured.interactions:
        assert {first, second} <= spans
        assert first < second
        assert low <= value <= high
        assert low * high > 0
    assert type(result).from_json(result.to_json()) == result
    each = ats.explain(small("llama"), text, method="surrogate", target="c d", per_token=True, samples=256)
    assert each[0].measured.interactions == ()
