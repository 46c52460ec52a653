"""LaTeX of every result: within a column, with intervals, and compiled by real engines where they are installed."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_results import EVERY, JAPANESE, RESULTS, SEGMENTS, comparison, result

from attnscope.render import RENDERERS, render
from attnscope.render.document.latex import fitted, tex
from attnscope.results.attribution import Attribution
from attnscope.results.base import Asked, Measured

# Cyrillic and Greek letters that look Latin, a space of no width, an emoji.
HOMOGLYPHS = comparison("Is this p\u0430ypal\u200b s\u0456te s\u03b1fe? \U0001f44d", "Is this paypal site safe?")
NAMED = Attribution(
    "deletion", "perturbation", "Be kind. Where?", (), result("Be Where?").words[:0],
    Asked(unit="segment", segments={"1 system": (0, 8)}, quantity="log_probability"),
    Measured(value=-0.5, answer=(" Tokyo",)),
)  # fmt: skip
DRAWN: dict[str, Any] = {
    **EVERY,
    **{name.replace(" ", "_"): one for name, one in RESULTS.items()},
    "homoglyphs": HOMOGLYPHS,
    "japanese_pair": comparison(JAPANESE, JAPANESE.replace("猫", "犬"), SEGMENTS),
    "named": NAMED,
}


def test_every_result_is_written_as_latex() -> None:
    assert all(".tex" in row for row in RENDERERS.values())
    for one in EVERY.values():
        source = render(one, ".tex").decode()
        assert source.startswith(r"% needs \usepackage{booktabs,xcolor,graphicx}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p\u0430y", r"p\attnchar{0430}{" + "\u0430}y"),
        ("\u03bf", r"\attnchar{03BF}{" + "\u03bf}"),
        ("a\u200bb\u202ec", r"a\attncode{200B}b\attncode{202E}c"),
        ("\ud800", r"\attncode{D800}"),
        ("城", r"\attncjk{57CE}{城}"),
        ("\U0001f44d\ufe0f", r"\attnchar{1F44D}{" + "\U0001f44d}" + r"\attncode{FE0F}"),
        ("é — “q”", "é — “q”"),
        ("a--b ''", r"a-{}-b '{}'"),
        ("50%_x", r"50\%\_x"),
    ],
)
def test_letters_that_an_engine_may_lack_carry_their_code_point(text: str, expected: str) -> None:
    assert tex(text) == expected


def test_the_comment_names_the_engines_that_draw_the_letters() -> None:
    source = render(HOMOGLYPHS, ".tex").decode()
    assert "% has letters beyond Latin-1: XeLaTeX or LuaLaTeX" in source
    assert "Japanese" not in source
    assert "% has Chinese, Japanese or Korean: XeLaTeX with xeCJK" in render(DRAWN["japanese"], ".tex").decode()
    assert "% has" not in render(RESULTS["constant"], ".tex").decode()


def test_a_mean_stands_with_its_interval_and_a_long_table_says_what_it_leaves_out() -> None:
    numbers = np.linspace(-1, 1, 40)
    table = {"word": np.array(["w"] * 40, object), "score": numbers, "low": numbers - 0.5, "high": numbers + 0.5}
    lines = fitted(table)
    assert lines[0] == "% the strongest 30 of 40 rows; all are in the .csv"
    assert r"w & $-$1 [$-$1.5, $-$0.5] \tabularnewline" in lines
    assert r"word & score \\" in lines


def test_passages_have_their_names_sums_and_means_and_the_answer_its_probability() -> None:
    source = render(NAMED, ".tex").decode()
    assert r"\hfill ``Tokyo'' 60.7 \%" in source
    assert r"name & word & score & mean \\" in source


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="TeX is some gigabytes on macOS and Windows")
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
def test_every_fragment_compiles_within_a_column(engine: str, tmp_path: Path) -> None:
    assert shutil.which(engine), f"{engine} is not installed: make test-slow installs it where it may"
    encoding = r"\usepackage[T1]{fontenc}" if engine == "pdflatex" else ""
    names = {name: f"{place}.tex" for place, name in enumerate(DRAWN)}
    for name, file in names.items():
        (tmp_path / file).write_bytes(render(DRAWN[name], ".tex"))
    # Columns of 219 points, the narrowest in use.
    head = rf"\documentclass[twocolumn]{{article}}\usepackage{{booktabs,xcolor,graphicx}}{encoding}"
    head += r"\setlength{\textwidth}{458pt}\setlength{\columnsep}{20pt}\begin{document}"
    body = "\n".join(rf"\typeout{{FRAGMENT {name}}}\par\input{{{file}}}\clearpage" for name, file in names.items())
    (tmp_path / "all.tex").write_text(head + body + r"\end{document}", encoding="utf-8")
    done = subprocess.run(
        [engine, "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    log = (tmp_path / "all.log").read_text(encoding="utf-8", errors="replace").splitlines()
    wrong = [line for line in log if line.startswith(("!", "Overfull \\hbox", "Missing character", "FRAGMENT"))]
    assert [line for line in wrong if not line.startswith("FRAGMENT")] == [], wrong
    assert done.returncode == 0
