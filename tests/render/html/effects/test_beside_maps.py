"""Effects beside maps: of which heads and words they are, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_maps import TEXT, maps_of
from drawn_results import edge_effects, result

import attnscope as ats
from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.html.effects.beside_maps import effects_beside, effects_of_heads

MAPS = maps_of(TEXT, layers=2, heads=3)


def of_heads(layers: tuple[int, ...] = (0, 1), heads: int = 3, stack: str = "self") -> ats.HeadEffects:
    estimates = np.array([[[0.5, -2.0, 0.25], [1.0, 0.0, -0.5]]])[:, :, :heads]
    exact = np.full_like(estimates, np.nan)
    exact[0, 1, 0] = 4.0
    return ats.HeadEffects((TEXT,), ("a target",), "logit", (1.0,), layers, (heads,) * 2, estimates, exact, stack=stack)


def of_edges(places: tuple[tuple[int, int], ...] = ((4, 10), (24, 28))) -> ats.EdgeEffects:
    return replace(edge_effects(text=TEXT), places=places)


def test_exact_effects_of_heads_come_before_estimates() -> None:
    assert effects_of_heads(MAPS, of_heads()).tolist() == [[0.5, -2.0, 0.25], [4.0, 0.0, -0.5]]


def test_of_edges_every_layer_of_the_maps_has_its_row() -> None:
    found = effects_beside(MAPS, of_edges())["matters"]
    assert found["words"] == [[4, 10], [24, 28]]
    assert found["values"] == [[0.5, 0.5], [-0.25, -0.25]], "layers 0 and 1 of 0, 1 and 3"
    assert found["by_layer"]
    assert "the target may not look at a word in 2 layers around this one" in found["about"]


def test_a_word_given_twice_is_shown_once() -> None:
    assert effects_beside(MAPS, of_edges(((4, 10), (4, 10))))["matters"]["words"] == [[4, 10]]


def test_of_words_there_is_one_row() -> None:
    count = len(TEXT.split())
    scores = [0.5, -1.0, *[0.0] * (count - 2)]
    found = effects_beside(MAPS, [of_heads(), replace(result(TEXT, scores, method="deletion"), signed=True)])
    assert found["matters"]["values"] == [scores]
    assert not found["matters"]["by_layer"]
    assert found["statistics"]["effect_size"].max() == 4.0


@pytest.mark.parametrize("other", [{"layers": (0, 2)}, {"heads": 2}, {"stack": "cross"}])
def test_effects_of_other_heads_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="take the effects of the model and the attention"):
        render(MAPS, ".html", effects=of_heads(**other))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([1], "expected what ats.head_effects"),
        ([of_heads(), of_heads()], "two of heads"),
        ([of_edges(), of_edges()], "two of words"),
        (edge_effects(2), "have no places"),
        (replace(edge_effects(), places=((0, 1), (2, 8))), "another text"),
        (replace(of_edges(), stack="cross"), "take both of the same"),
        (replace(of_edges(), layers=(0, 2, 3)), "take both of the same"),
        (result(TEXT), "has no signs"),
        (replace(result("another"), signed=True), "another text"),
    ],
)
def test_what_does_not_belong_beside_the_maps_is_refused(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        render(MAPS, ".html", effects=given)
