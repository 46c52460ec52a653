"""What to write of a result in a paper: a sentence for its methods section, and the BibTeX of what it cites."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.papers.facts import OF_STUDIES, PAPERS, Paper, entry, papers_of
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.citation.citation import Citation
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.corpus.head_profiles import PROFILE, HeadProfiles
from attnscope.results.corpus.summary import SurveySummary
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import Effect
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.evaluation import YARDSTICK, Evaluation
from attnscope.results.files.references import References
from attnscope.results.per_token import PerToken
from attnscope.results.similarity import Similarity
from attnscope.text.visible import model_name, visible

TITLE = "attnscope: what a transformer attends to and which words it relies on"
_NUMBER = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
# What pdfLaTeX has no letter for: all but Latin-1, quotes, dashes and what _TEX writes otherwise.
_BEYOND = re.compile(r"[^ -~\u00a1-\u00ac\u00ae-\u00ff“”‘’–—…−×]+")
_TEX = str.maketrans(
    {c: rf"\{c}" for c in "{}$&#_%"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "−": "$-$", "×": r"$\times$"}
)


@dataclass(frozen=True)
class Software:
    """This package, as it is cited."""

    version: str | None

    key, short = "attnscope", "attnscope"

    def bibtex(self) -> str:
        """Its entry."""
        fields = {"author": "{The attnscope authors}", "title": "{" + TITLE + "}"}
        return entry("misc", self.key, fields | ({"note": f"Version {_latex(self.version)}"} if self.version else {}))


Part = str | Sequence[Paper | Software]


def references(result: Result) -> References:
    """What to write of a result. Raises InputError for one of another kind."""
    for kind, write in _WRITERS.items():
        if isinstance(result, kind):
            return _of(write(result), _provenance(result))
    raise InputError(f"there is nothing to cite of a {type(result).__name__}")


def _of(parts: list[Part], provenance: Mapping[str, Any]) -> References:
    version = provenance.get("attnscope")
    software = Software(None if version is None else visible(str(version)))
    if isinstance(parts[0], str):
        parts = [parts[0][:1].upper() + parts[0][1:], *parts[1:]]
    name = model_name(str(provenance.get("model") or ""))
    revision = f", revision {str(provenance['revision'])[:12]}" if provenance.get("revision") else ""
    of_model = f" The model was {visible(name)}{revision}." if name else ""
    parts = [
        *parts,
        ".",
        of_model,
        f" Computed with attnscope{' ' + software.version if software.version else ''}",
        [software],
        ".",
    ]
    # Nothing of a result moves a line or the cursor.
    parts = [visible(part) if isinstance(part, str) else part for part in parts]
    cited = {paper.key: paper for part in parts if not isinstance(part, str) for paper in part}
    return References(
        text="".join(part if isinstance(part, str) else _plain(part) for part in parts),
        tex="".join(_latex(part) if isinstance(part, str) else _cited(part) for part in parts),
        bibtex="\n\n".join(paper.bibtex() for paper in cited.values()) + "\n",
    )


def _latex(text: str) -> str:
    """Escaped, with code points for letters that pdfLaTeX would stop at."""
    known = _BEYOND.sub(lambda found: " ".join(f"U+{ord(c):04X}" for c in found[0]), text)
    return known.translate(_TEX)


def _plain(papers: Sequence[Paper | Software]) -> str:
    named = [paper.short for paper in papers if isinstance(paper, Paper)]
    return f" ({'; '.join(named)})" if named else ""


def _cited(papers: Sequence[Paper | Software]) -> str:
    return rf"~\cite{{{','.join(paper.key for paper in papers)}}}" if papers else ""


def _provenance(result: Any) -> Mapping[str, Any]:
    if isinstance(result, PerToken):
        result = result.first
    elif isinstance(result, Agreement) and result.results:
        result = result.results[0]
    elif isinstance(result, Comparisons) and result.pairs:
        result = result.pairs[0]
    if isinstance(result, Comparison):
        result = result.right.result
    elif isinstance(result, Similarity):
        result = result.left
    found: Mapping[str, Any] = getattr(result, "provenance", None) or getattr(result, "settings", {})
    return found


def _method(name: str, options: Mapping[str, Any] | None = None) -> list[Part]:
    """A method in words, with its options and its papers."""
    given = {key: value for key, value in (options or {}).items() if isinstance(value, str | int | float)}
    said = ", ".join(
        f"{key.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}"
        for key, value in given.items()
        if not isinstance(value, bool)
    )
    return [visible(name.replace("_", " ")), *([f" ({visible(said)})"] if said else []), papers_of(name)]


def _joined(items: Iterable[list[Part]]) -> list[Part]:
    """Clauses with commas and "and"."""
    found = list(items)
    parts: list[Part] = []
    for place, item in enumerate(found):
        if place:
            parts.append(" and " if place == len(found) - 1 else ", ")
        parts += item
    return parts


def _study(name: str) -> list[Paper]:
    return [PAPERS[number] for number in OF_STUDIES.get(name, ())]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _unit(result: Attribution) -> str:
    return result.asked.unit if result.asked.unit in ("word", "token", "character", "sentence", "segment") else "word"


def _target(result: Attribution) -> str:
    return f", for the {visible(result.asked.target)}" if result.asked.target else ""


def _attribution(result: Attribution) -> list[Part]:
    unit, by = _unit(result), _method(result.method, result.asked.options)
    return [f"Each {unit} of the text was scored by ", *by, _target(result)]


def _per_token(result: PerToken) -> list[Part]:
    first = result.first
    by = _method(first.method, first.asked.options)
    return [f"Each {_unit(first)} was scored for each of {_counted(len(result), 'target token')} by ", *by]


def _maps(result: AttentionMaps) -> list[Part]:
    mechanism = result.measured.mechanism
    papers = _study(mechanism) if mechanism else papers_of("attention")
    what = f"The token × token matrices of linear attention ({mechanism})" if mechanism else "Attention weights"
    where = f" of {_counted(len(result.layers), 'layer')} and {_counted(len(result.heads), 'head')}"
    return [what, papers, f"{where} were read; special tokens stay in the input and are left out of the pictures"]


def _agreement(result: Agreement) -> list[Part]:
    by = _joined(_method(one.method, one.asked.options) for one in result.results)
    how = f" were compared by Spearman’s rank correlation of {result.by}s, and by the top {result.top} words they share"
    return ["The words’ scores by ", *by, how]


def _comparison(result: Comparison) -> list[Part]:
    return _pairs([result])


def _comparisons(result: Comparisons) -> list[Part]:
    return _pairs(result.pairs)


def _pairs(pairs: Sequence[Comparison]) -> list[Part]:
    count = f"{_counted(len(pairs), 'pair')} of a clean and an attacked text"
    if not pairs:
        return [f"{count} were compared", _study("comparison")]
    first = pairs[0].right.result
    by = _method(first.method, first.asked.options)
    were = "was" if len(pairs) == 1 else "were"
    return [f"{count} {were} compared word by word", _study("comparison"), " by ", *by]


def _similarity(result: Similarity) -> list[Part]:
    what = result.left.asked.quantity or "similarity"
    how = _method("integrated Jacobians", result.left.asked.options)
    return [f"The {what} of two texts was attributed to pairs of words by ", *how[:-1], _study("similarity")]


def _evaluation(result: Evaluation) -> list[Part]:
    texts = len({row.key for row in result.rows})
    by = _joined(_method(method) for method in result.methods if method != YARDSTICK)
    metrics = [
        [name.replace("_", " "), _numbered(str(about.get("paper", "")))]
        for name, about in result.settings.get("metrics", {}).items()
    ]
    judged: list[Part] = [" were evaluated by ", *_joined(metrics)] if metrics else [" were evaluated"]
    how = (
        f" on {_counted(texts, 'text')}, with 95% bootstrap intervals, against {YARDSTICK} scores by paired "
        "randomisation tests with Holm’s correction"
    )
    return [*(by or ["Scores"]), *judged, how]


def _numbered(text: str) -> list[Paper]:
    """The papers whose numbers on arXiv a text has."""
    return [PAPERS[number] for number in _NUMBER.findall(text) if number in PAPERS]


def _survey(result: SurveySummary) -> list[Part]:
    methods = result.settings.get("methods") or [[name, {}] for name in result.methods]
    by = _joined(_method(name, options) for name, options in methods)
    texts = _counted(result.counts.get("texts", 0), "text")
    return [f"The words of {texts} were scored by ", *by, "; means over texts have 95% bootstrap intervals"]


def _citation(result: Citation) -> list[Part]:
    ways = {
        "deletion": "what its log-probability loses without the source",
        "surrogate": "slopes of a sparse linear model over random sets of sources",
        "heads": "attention heads’ attention to the source",
    }
    how = ways.get(result.method, result.method)
    papers = papers_of(result.method) if result.method == "deletion" else _study(f"cite by {result.method}")
    count = _counted(len(result.statements), "statement")
    sources = _counted(sum(source.parent is None for source in result.sources), "source")
    return [
        f"{count} of the answer {'was' if count.startswith('1 ') else 'were'} attributed to {sources} by {how}",
        papers,
    ]


def _effect(result: Effect) -> list[Part]:
    taken = result.taken
    parts = [
        _counted(len(of), what)
        for of, what in (
            (taken.heads, "attention head"),
            (taken.edges, "attention edge"),
            (taken.layers, "layer"),
            (taken.words, "word"),
        )
        if of
    ]
    what = " and ".join(parts) or "nothing"
    how = f" (heads: {taken.how})" if taken.heads else ""
    return [
        f"The effect on the {result.target} was measured without {what}{how}",
        _study("knock_out") if taken.edges else [],
    ]


def _head_effects(result: HeadEffects) -> list[Part]:
    texts = _counted(len(result.texts), "text")
    exact = "; the strongest were measured exactly" if result.known.any() else ""
    heads = _counted(sum(result.heads), "attention head")
    first = f"The effect of each of {heads} on the target was estimated to first order"
    return [first, _study("head_effects"), f" on {texts} (ablation: {result.how}){exact}"]


def _edge_effects(result: EdgeEffects) -> list[Part]:
    texts = _counted(len(result.texts), "text")
    where = f" in windows of {_counted(result.window, 'layer')}, on {texts}"
    return ["The effect of attention to each word was measured by attention knock-out", _study("knock_out"), where]


def _head_profiles(result: HeadProfiles) -> list[Part]:
    by = _joined(
        [name.replace("_", " "), _numbered(PROFILE.get(name, ("", ""))[1])] for name in result.statistics
    )  # fmt: skip
    heads = _counted(len(result.places), "attention head")
    return [f"Each of {heads} was described by ", *by, ", as means over texts with 95% intervals"]


_WRITERS: dict[type[Result], Any] = {
    Attribution: _attribution,
    PerToken: _per_token,
    AttentionMaps: _maps,
    Agreement: _agreement,
    Comparison: _comparison,
    Comparisons: _comparisons,
    Similarity: _similarity,
    Evaluation: _evaluation,
    SurveySummary: _survey,
    Citation: _citation,
    Effect: _effect,
    HeadEffects: _head_effects,
    EdgeEffects: _edge_effects,
    HeadProfiles: _head_profiles,
}
