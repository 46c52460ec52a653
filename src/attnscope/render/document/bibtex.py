"""BibTeX of what a result cites, with the sentence for a methods section above it."""

from attnscope.results.base import Result


def render_bibtex(result: Result) -> bytes:
    """A .bib file: the sentence as a comment, in LaTeX, then the entries."""
    cited = result.cite()
    # BibTeX reads an entry at any @, in a comment too.
    sentence = " ".join(cited.tex.replace("@", "(at)").split())
    return f"% {sentence}\n\n{cited.bibtex}".encode("utf-8", "replace")
