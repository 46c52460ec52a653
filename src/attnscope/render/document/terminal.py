"""A result in the terminal: the text on coloured backgrounds where there are colours, else a plain text table.

Texts may be hostile: control characters are made visible before anything is printed, and nothing is read as markup.
"""

from collections.abc import Iterator

from rich.console import Console, Group
from rich.style import Style
from rich.text import Text

from attnscope.render.colours import colours_for, text_on
from attnscope.render.content.caption import caption_of, limits, number, singular, unit
from attnscope.render.content.pieces import pieces, query_words, visible
from attnscope.results.agreement import Agreement
from attnscope.results.attribution import Attribution
from attnscope.results.citation.citation import Citation
from attnscope.results.corpus.head_profiles import HeadProfiles
from attnscope.results.corpus.summary import SurveySummary
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import Effect
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.evaluation import Evaluation
from attnscope.results.files.reading import encoded
from attnscope.results.per_token import PerToken
from attnscope.translation import locale_language, speaking

_BAR = 20
_EIGHTHS = "▏▎▍▌▋▊▉█"
# Below this a box would be a shade off the terminal's own background, which we cannot know.
_FAINTEST = 0.06
# A row shows so many characters of a passage that has a name.
_MOST_OF_A_PASSAGE = 60


def render_text(result: Attribution) -> bytes:
    """The caption, then one row per word in text order: scaled score, raw score, bar, word. UTF-8."""
    caption = caption_of(result)
    lines = [caption.title, *(f"{name}: {value}" for name, value in caption.facts), *caption.notes, caption.scale, ""]
    lines += _rows(result)
    return encoded("\n".join(lines) + "\n")


def render_texts(result: PerToken) -> bytes:
    """The plain texts of all target tokens, one after the other."""
    return b"\n".join(render_text(one) for one in result.by_character())


def render_table(
    result: Agreement | Citation | Evaluation | Effect | HeadProfiles | SurveySummary | HeadEffects | EdgeEffects,
) -> bytes:
    """The result's own plain text table."""
    return encoded(result.table())


def _rows(result: Attribution) -> Iterator[str]:
    scaled = result.scaled
    of_query = frozenset(query_words(result))
    raw = [number(word.score) for word in result.words]
    width = max(map(len, (*raw, "score")))
    named = bool(result.asked.segments)
    means = [number(float(mean)) for mean in result.means] if named else []
    columns = f"  {'per token':>9}" if named else ""
    yield f"scaled  {'score':>{width}}{columns}  {'':{_BAR}}  {singular(result)}"
    words = ((piece.word, piece.text) for piece in pieces(result) if piece.word is not None)
    for index, text in words:
        mark = "  ← query" if index in of_query else ""
        bar = _bar(_weight(result, float(scaled[index])))
        mean = f"  {means[index]:>9}" if named else ""
        said = f"{visible(result.names[index] or '')}: {_begun(text)}" if result.names[index] else visible(text)
        # Signed scores run from -1 to 1, with nothing at 0.
        shown = 2 * scaled[index] - 1 if result.signed else scaled[index]
        yield f"{shown:6.3f}  {raw[index]:>{width}}{mean}  {bar:{_BAR}}  {said}{mark}"


def _begun(text: str) -> str:
    """The beginning of a passage, on one line."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= _MOST_OF_A_PASSAGE else line[: _MOST_OF_A_PASSAGE - 1] + "…"


def _weight(result: Attribution, scaled: float) -> float:
    """How far a scaled score is from nothing, 0 to 1."""
    return abs(2 * scaled - 1) if result.signed else scaled


def _bar(scaled: float) -> str:
    eighths = round(scaled * _BAR * 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def renderable(result: Attribution, dark: bool = True) -> Group:
    """The coloured text with its caption and legend, for any rich console."""
    colours = colours_for(result.signed, dark)
    scaled = result.scaled
    asked = frozenset(query_words(result))
    text = Text()
    for piece in pieces(result):
        shown = visible(piece.text, keep="\n\t").replace("\t", "    ")
        if piece.word is None:
            text.append(shown)
            continue
        style = (
            _style(colours.colour(scaled[piece.word])) if _weight(result, scaled[piece.word]) >= _FAINTEST else Style()
        )
        text.append(
            shown if shown.strip() else shown.replace("\n", "↵\n"), style + Style(underline=piece.word in asked)
        )
    caption = caption_of(result)
    low, high = limits(result)
    legend = Text.assemble((f"{number(low)} ", "dim"))
    for step in range(0, len(colours.steps), 2):
        legend.append(" ", _style(colours.steps[step]))
    legend.append(f" {number(high)}  {unit(result)}", "dim")
    head = [Text(caption.title, "bold"), Text(caption.line(), "dim"), Text()]
    return Group(*head, text, Text(), legend, *(Text(note, "dim") for note in (*caption.notes, caption.scale)))


def _style(colour: str) -> Style:
    return Style(color=text_on(colour), bgcolor=colour)


def print_result(result: Attribution, console: Console | None = None) -> None:
    """Print to `console` (standard output): colours on a terminal, in the user's language; plain text elsewhere."""
    console = console or Console()
    if console.is_terminal and console.color_system:
        with speaking(locale_language()):
            console.print(renderable(result))
    else:
        console.out(render_text(result).decode(), end="", highlight=False)


def print_plain(text: str, console: Console | None = None) -> None:
    """Print to `console` (standard output) as it is."""
    (console or Console()).out(text, end="", highlight=False)
