import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_results import ENGLISH, RESULTS, attention, long_result, result
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.content.line_breaking import lines
from attnscope.render.figure.attribution import _sheet_of
from attnscope.results.attribution import Word


def _pixels(data: bytes) -> NDArray[np.float32]:
    image: NDArray[np.float32] = imread(io.BytesIO(data), format="png")
    return image[..., :3]


def _shows(image: NDArray[np.float32], colour: str) -> bool:
    return bool((np.abs(image - np.array(to_rgb(colour))).max(axis=-1) < 0.004).any())


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_the_page_and_the_highest_word_have_their_colours(dark: bool, colours: Any) -> None:
    image = _pixels(render(RESULTS["english"], ".png", dark=dark))
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert np.allclose(border, to_rgb(colours.background), atol=0.004)
    assert _shows(image, colours.steps[-1])


def test_scale_is_pixels_per_point() -> None:
    small, large = (_pixels(render(RESULTS["english"], ".png", scale=s)) for s in (1, 3))
    assert large.shape[0] == pytest.approx(3 * small.shape[0], abs=3)
    assert large.shape[1] == pytest.approx(3 * small.shape[1], abs=3)
    with pytest.raises(InputError, match="scale=0"):
        render(RESULTS["english"], ".png", scale=0)


def test_the_picture_is_tight() -> None:
    image = _pixels(render(RESULTS["english"], ".png", font_size=10, scale=2))
    drawn = np.argwhere((image < 0.99).any(axis=-1))
    margins = [*drawn.min(axis=0), *(np.array(image.shape[:2]) - drawn.max(axis=0))]
    assert min(margins) >= 10
    assert max(margins) <= 50


def test_a_text_too_long_for_one_picture_is_refused() -> None:
    for suffix in (".png", ".svg", ".pdf"):
        with pytest.raises(InputError, match=r"too many for one picture: save it as \.html"):
            render(long_result(), suffix)


def test_dollars_are_dollars() -> None:
    assert render(result("$x^2$", [1.0]), ".svg") != render(result("x2", [1.0]), ".svg")
    assert render(result("$\\broken{", [1.0]), ".png")


def test_the_query_is_outlined() -> None:
    asked = render(attention(ENGLISH, 2), ".png")
    assert _shows(_pixels(asked), "#0b57a4")
    assert not _shows(_pixels(render(result(ENGLISH), ".png")), "#0b57a4")


def test_passages_have_their_names_sums_and_means_and_the_answer_its_probability() -> None:
    one = result(
        "Be kind. Where is it?", asked={"unit": "segment", "segments": {"1 system": (0, 8), "2 user": (9, 21)},
        "quantity": "log_probability"}, measured={"value": -0.5, "answer": (" Tokyo",)},
    )  # fmt: skip
    passages = tuple(Word(one.text[a:b], a, b, score) for (a, b), score in (((0, 8), 0.5), ((9, 21), 1.5)))
    one = replace(one, words=passages)
    written = [text for _, _, text, *_ in _sheet_of(one, lines(one, 80), None, 13, False).texts]
    assert "60.7 %" in written
    assert any("Tokyo" in text for text in written)
    # Over the line where they begin, and in the rows below.
    assert any("1 system" in text and "2 user" in text for text in written)
    assert [text for text in written if "per token" in text] == ["0.5, per token 0.25", "1.5, per token 0.5"]
    assert {"1 system", "2 user"} <= set(written)
