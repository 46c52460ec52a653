import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnscope.results.scaling import min_max

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MANY = st.lists(FLOATS, min_size=1, max_size=50)


@given(MANY)
def test_ends_are_zero_and_one_unless_constant(scores: list[float]) -> None:
    scaled = min_max(scores)
    if min(scores) == max(scores):
        assert (scaled == 0.5).all()
    else:
        assert scaled[int(np.argmin(scores))] == 0.0
        assert scaled[int(np.argmax(scores))] == 1.0
    assert ((scaled >= 0) & (scaled <= 1)).all()


@given(MANY)
def test_order_is_kept(scores: list[float]) -> None:
    assert (np.diff(min_max(scores)[np.argsort(scores)]) >= 0).all()


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=50), st.integers(-100, 100), st.integers(1, 50))
def test_shift_and_stretch_change_nothing(scores: list[int], shift: int, stretch: int) -> None:
    moved = [score * stretch + shift for score in scores]
    np.testing.assert_allclose(min_max(moved), min_max(scores), atol=1e-12)


def test_empty_stays_empty() -> None:
    assert min_max([]).shape == (0,)


def test_the_input_is_left_alone() -> None:
    scores = np.array([-1.7e308, 1.7e308])
    assert min_max(scores).tolist() == [0.0, 1.0]
    assert scores.tolist() == [-1.7e308, 1.7e308]
