"""A grid for each statistic; every head can be asked."""

from drawn_results import head_profiles

from attnscope.render import render


def test_every_head_is_a_button_in_every_grid() -> None:
    page = render(head_profiles(), ".html").decode()
    assert page.count('data-head="3.0"') == 2
    assert "Strongest:" in page
    assert "arXiv:1906.04341" in page
    assert "<b>castle" not in page.split("<script")[0]


def test_two_models_have_two_grids() -> None:
    page = render(head_profiles(head_profiles()), ".html").decode()
    assert page.count("<table") == 2 * render(head_profiles(), ".html").decode().count("<table")
