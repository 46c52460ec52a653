"""Each paper once, and the same numbers as in the docstrings of what it is about."""

import inspect
import re

import pytest

from attnscope.methods.papers.facts import OF_METHODS, OF_STUDIES, PAPERS, Paper, named, papers_of
from attnscope.methods.table import METHODS
from attnscope.metrics.table import METRICS
from attnscope.results.corpus.head_profiles import PROFILE

NUMBER = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def test_every_paper_that_is_named_is_there_and_every_one_there_is_named() -> None:
    named_here = {number for of in (OF_METHODS, OF_STUDIES) for numbers in of.values() for number in numbers}
    named_here |= {number for metric in METRICS.values() for number in NUMBER.findall(metric.paper)}
    named_here |= {number for _, paper in PROFILE.values() for number in NUMBER.findall(paper)}
    assert named_here == set(PAPERS)
    assert set(OF_METHODS) < set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_papers_are_those_of_its_docstring(name: str) -> None:
    said = set(NUMBER.findall(inspect.getdoc(METHODS[name].run) or ""))
    assert {paper.arxiv for paper in papers_of(name) if paper.arxiv} <= said
    assert METHODS[name].paper == named(papers_of(name))


def test_keys_are_one_for_each_paper() -> None:
    keys = [paper.key for paper in PAPERS.values()]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z]+\d{4}[a-z]+", key) for key in keys)


@pytest.mark.parametrize("number", PAPERS)
def test_an_entry_is_ascii_and_balanced(number: str) -> None:
    made = PAPERS[number].bibtex()
    assert made.isascii()
    assert made.count("{") == made.count("}")
    assert (f"eprint = {{{number}}}" in made) == number[0].isdecimal()
    # The first version on arXiv is of the year and month that its number says, and the paper not older.
    if number[0].isdecimal():
        assert PAPERS[number].year in (2000 + int(number[:2]), 2001 + int(number[:2]))


def test_an_entry() -> None:
    paper = Paper(("Ada B. Müller", "Bo Li"), "“Why”: a Study & more", 2020, "2001.00001", etal=True)
    assert paper.short == "Müller et al., 2020"
    assert paper.bibtex().splitlines() == [
        "@misc{mller2020why,",
        r"  author = {M{\"u}ller, Ada B. and Li, Bo and others},",
        r"  title = {{``Why'': a Study \& more}},",
        "  year = {2020},",
        "  eprint = {2001.00001},",
        "  archivePrefix = {arXiv},",
        "  url = {https://arxiv.org/abs/2001.00001},",
        "}",
    ]
