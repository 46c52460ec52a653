"""What to write of each result."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_results import EVERY, RESULTS, attention, citation, estimated, result

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.papers.sentences import TITLE, references
from attnscope.render import render
from attnscope.results.base import TYPES


@pytest.mark.parametrize("name", EVERY)
def test_every_result_has_a_sentence_and_the_entries_that_it_cites(name: str) -> None:
    cited = EVERY[name].cite()
    assert cited.text[0].isupper() or cited.text[0].isdecimal()
    assert cited.text.endswith(".")
    assert "The model was tests/" in cited.text
    keys = {key for group in re.findall(r"\\cite\{([^}]*)\}", cited.tex) for key in group.split(",")}
    assert set(re.findall(r"^@\w+\{(.*),$", cited.bibtex, re.M)) == keys
    assert "attnscope" in keys
    assert len(keys) >= 2 or name == "attribution"


def test_every_kind_of_result_is_among_them() -> None:
    assert {one.type for one in EVERY.values()} == set(TYPES) - {"sample", "head_weights"} & set(TYPES)


def test_a_sentence_says_what_was_run() -> None:
    assert attention("a castle", 1).cite().text == (
        "Each word of the text was scored by attention (layer 29, head mean) (Vaswani et al., 2017). The model was "
        "tests/tiny. Computed with attnscope 0.1.0."
    )
    made = result("a b", method="integrated_gradients", options={"steps": 32, "baseline": "pad"}).cite()
    assert r"integrated gradients (steps 32, baseline pad)~\cite{sundararajan2017axiomatic}" in made.tex
    assert "@misc{sundararajan2017axiomatic," in made.bibtex
    assert "Version 0.1.0" in made.bibtex
    assert "surrogate" not in estimated().cite().text
    assert "Cohen-Wang et al., 2024" in estimated().cite().text
    assert "Zhu et al., 2023" in citation().cite().text


def test_a_folder_of_a_model_is_nobodys_business_and_a_method_of_ones_own_has_no_paper() -> None:
    one = replace(RESULTS["english"], method="my_method", provenance={"model": "/home/me/models/tiny_1"})
    cited = one.cite()
    assert "/home" not in cited.text
    assert r"tiny\_1" in cited.tex
    assert "my method" in cited.text
    assert re.findall(r"^@\w+", cited.bibtex, re.M) == ["@misc"]


def test_a_sentence_stops_no_latex_whatever_the_target() -> None:
    cited = result("a b", asked={"target": "log-probability of '東京 c\u0430t\u200b'"}).cite()
    assert "東京" in cited.text
    assert "for the log-probability of 'U+6771 U+4EAC cU+0430tU+200B'" in cited.tex
    assert cited.tex.isascii()


def test_a_bib_file_is_read_by_bibtex_whatever_was_explained(tmp_path: Path) -> None:
    hostile = result("a b", asked={"target": "an @article{x, % \\end{document} 熊 \x1b\n"})
    document = render(hostile, ".bib").decode()
    assert document.splitlines()[0].startswith("% Each word")
    assert document.count("@") == 2
    assert all(line.startswith("%") for line in document.split("\n\n")[0].splitlines())
    (tmp_path / "methods.bib").write_text(document, encoding="utf-8")


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(InputError, match="nothing to cite of a str"):
        references("text")  # type: ignore[arg-type]


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; from attnscope.results.attribution import Attribution as A\n"
        "print(A('gradient', 'gradient', '', (), ()).cite()); assert 'torch' not in sys.modules"
    )
    assert "zhu2023promptrobust" in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout


def test_the_title_is_that_of_the_citation_file() -> None:
    assert f'title: "{TITLE}"' in (Path(__file__).parents[3] / "CITATION.cff").read_text(encoding="utf-8")
    assert ats.__version__
