"""What to write of a result in a paper: `result.cite()`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class References:
    """What to write of a result in a paper.

    text: a sentence or two, with authors and years; tex: the same for LaTeX, with \\cite. bibtex: the entries.

    >>> words = ats.explain(model, "The film is great. I am", method="gradient", target=" happy")
    >>> print(words.cite().text)
    Each word of the text was scored by gradient (norm l2, pool sum) (Zhu et al., 2023), for the log-probability of
    ' happy'. The model was SmolLM2-135M-Instruct. Computed with attnscope ...
    """

    text: str
    tex: str
    bibtex: str

    def __str__(self) -> str:
        return f"{self.text}\n\n{self.bibtex}"

    __repr__ = __str__
