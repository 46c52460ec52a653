"""A small map for each statistic."""

from drawn_results import head_profiles

from attnscope.render import render


def test_each_statistic_has_its_map() -> None:
    both = render(head_profiles(), ".svg")
    assert both.startswith(b"<?xml")
    assert render(head_profiles(), ".svg", dark=True) != both
    assert render(head_profiles(), ".png").startswith(b"\x89PNG")
