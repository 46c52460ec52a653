"""What to write of a result in a paper: `result.cite()`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class References:
    """What to write of a result in a paper.

    text: a sentence or two, with authors and years; tex: the same for LaTeX, with \\cite. bibtex: the entries.
    """

    text: str
    tex: str
    bibtex: str

    def __str__(self) -> str:
        return f"{self.text}\n\n{self.bibtex}"

    __repr__ = __str__
