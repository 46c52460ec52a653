"""Which plot stands for a whole result."""

from dataclasses import replace
from typing import Any

import pytest
from drawn_maps import maps_of
from drawn_results import EVERY

from attnscope.render.colours import DARK
from attnscope.render.figure import plot
from attnscope.render.figure.files import render_figure


@pytest.mark.parametrize(
    ("drawn", "by"),
    [
        (maps_of("a b c", layers=2, heads=3), "grid"),
        (maps_of("a b c", layers=1, heads=1), "heat_map"),
        (replace(maps_of("a b c"), codes=None, largest=None), "statistics"),
        (EVERY["agreement"], "agreement"),
        (EVERY["per_token"], "per_token"),
    ],
)
def test_each_result_has_its_plot(drawn: Any, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    draws = getattr(plot, by)

    def watched(*given: Any, **how: Any) -> Any:
        called.append((given[0], how))
        return draws(*given, **how)

    monkeypatch.setattr(plot, by, watched)
    data = render_figure(drawn, form="svg", scale=1, dark=True)
    assert called == [(drawn, {"dark": True, "font": None})]
    assert DARK.background.encode() in data
