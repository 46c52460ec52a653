"""The figure of a knock-out."""

from dataclasses import replace

from drawn_results import effect

from attnscope.render import render
from attnscope.render.figure.effects.effect import _figure


def test_bars_are_the_probabilities_and_the_effects() -> None:
    figure = _figure(effect(), False, None)
    ranking, tokens = figure.axes
    assert [round(bar.get_width(), 2) for bar in ranking.patches] == [0.6, 0.25, 0, 0.1, 0.5, 0.2]
    assert [bar.get_width() for bar in tokens.patches] == [2.25, -0.5]
    assert tokens.patches[0].get_facecolor() != tokens.patches[1].get_facecolor()
    assert [label.get_text() for label in ranking.get_yticklabels()] == ["hill", "river", "crow"]


def test_a_label_has_no_tokens_and_a_loss_of_a_mask_no_ranking() -> None:
    assert len(_figure(replace(effect(), tokens=()), True, None).axes) == 1
    assert len(_figure(replace(effect(), tokens=(), ranking=()), True, None).axes) == 0
    assert render(replace(effect(), tokens=(), ranking=()), ".svg").startswith(b"<?xml")
