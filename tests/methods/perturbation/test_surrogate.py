"""The surrogate against a slow ridge regression, a planted linear model, and what is refused."""

import numpy as np
import pytest
from planted import CopyBack, copy_tokenizer

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.perturbation.surrogate import _PENALTIES, _halves, ridge_by_leave_one_out


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
    found, share = ridge_by_leave_one_out(x, y[:, None])
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


def test_a_text_of_one_word_has_the_change_without_it() -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    result = ats.explain(model, "e", method="surrogate", target="e", replacement="mean")
    assert result.signed
    assert np.isfinite(result.scores).all()


@pytest.mark.parametrize("samples", [3, 2, 0])
def test_an_odd_number_of_samples_is_refused(samples: object) -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    with pytest.raises(InputError, match="even number"):
        ats.explain(model, "a b c", method="surrogate", target="e", samples=samples)
