"""What `result.cite()` gives."""

from attnscope.results.files.references import References


def test_it_prints_as_what_one_copies() -> None:
    cited = References("Words were scored.", r"Words were scored~\cite{a}.", "@misc{a,\n}\n")
    assert str(cited) == repr(cited) == "Words were scored.\n\n@misc{a,\n}\n"
