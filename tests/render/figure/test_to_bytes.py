"""A figure as the bytes of a file: the same each time, and nothing global is touched."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from drawn_results import RESULTS
from matplotlib.figure import Figure

from attnscope.errors import InputError, MissingExtraError
from attnscope.render import render
from attnscope.render.figure.to_bytes import file_of


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_no_dates(suffix: str) -> None:
    data = render(RESULTS["english"], suffix)
    assert b"CreationDate" not in data
    assert b"<dc:date>" not in data


def test_nothing_global_is_touched() -> None:
    settings: dict[str, Any] = {"text.usetex": True, "font.size": 3, "savefig.bbox": "tight", "axes.grid": True}
    with matplotlib.rc_context(settings):
        before = matplotlib.rcParams.copy()
        styled = render(RESULTS["english"], ".svg")
        assert matplotlib.rcParams.copy() == before
    assert styled == render(RESULTS["english"], ".svg")


def test_pyplot_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from attnscope.results.attribution import Attribution\n"
        "from attnscope.render import render\n"
        "for suffix in ('.png', '.svg', '.pdf'): render(Attribution('m', 'gradient', 'a', (), ()), suffix)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from attnscope.results.attribution import Attribution\n"
        "from attnscope.errors import MissingExtraError\n"
        "from attnscope.render import render\n"
        "try: render(Attribution('m', 'gradient', '', (), ()), '.png')\n"
        "except MissingExtraError as error: sys.exit(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'attnscope[figures]'" in done.stderr
    assert issubclass(MissingExtraError, RuntimeError)


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_the_same_figure_gives_the_same_bytes(form: str, begins: bytes) -> None:
    def draw() -> Figure:
        figure = Figure((2, 1))
        figure.text(0.1, 0.5, "costs $5 and $6")
        return figure

    once = file_of(draw, form)
    assert once.startswith(begins)
    assert file_of(draw, form) == once


@pytest.mark.parametrize("scale", [0, -1, float("nan")])
def test_a_scale_is_above_zero(scale: float) -> None:
    with pytest.raises(InputError, match="expected pixels per point above 0"):
        file_of(lambda: pytest.fail("it was drawn"), "png", scale)
