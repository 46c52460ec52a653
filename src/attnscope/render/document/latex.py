r"""LaTeX for papers: fragments for \input that fit into a column and compile under every engine.

A letter that the engine or the document's font does not have is set as its code point in a small box: so a homoglyph or
a character of no width can be seen, and a Japanese text under pdflatex does not stop the paper. The comment at the top
names the engines that draw the letters themselves.
"""

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from attnscope.render.colours import colours_for, text_on
from attnscope.render.content.caption import caption_of, headline, limits, number, unit
from attnscope.render.content.pieces import column, columns, pieces
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.tables import Columns

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "`": r"\textasciigrave{}", "\n": " ", "\t": " ", "\u2212": "$-$",
}  # fmt: skip
# What every engine and font has beside Latin-1.
_EVERYWHERE = frozenset("“”‘’‚„–—…†‡•‰‹›€™")
_DOUBLED = frozenset("-',")
# A coloured box holds so many columns of a word: it cannot be broken.
_LONGEST_BOX = 24
# A table of a column's width has no use for more rows: the strongest stay.
_MOST_ROWS = 30
_LONGEST_CELL = 60
# Columns that say where a word stands, or the same on another scale.
_PLACES = frozenset(("start", "end", "scaled", "special", "target"))
_MACROS = r"""\providecommand{\attncode}[1]{{\setlength{\fboxsep}{1pt}\fbox{\tiny\ttfamily #1}}}
\providecommand{\attnchar}[2]{\ifdefined\pdftexversion
  \ifcsname u8:\detokenize{#2}\endcsname #2\else\attncode{#1}\fi
  \else\iffontchar\font"#1 #2\else\attncode{#1}\fi\fi}
\providecommand{\attncjk}[2]{\ifdefined\kanjiskip #2\else\ifcsname ver@xeCJK.sty\endcsname #2\else
  \ifcsname ver@luatexja.sty\endcsname #2\else\ifcsname ver@CJK.sty\endcsname #2\else\attnchar{#1}{#2}\fi\fi\fi\fi}
\providecommand{\attnfit}[1]{\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{#1}}
\providecommand{\attnword}[3]{{\setlength{\fboxsep}{1.5pt}\colorbox[HTML]{#1}{\textcolor[HTML]{#2}{\strut #3}}}}"""


def render_latex(result: Result) -> bytes:
    r"""The result as a fragment for \input: its text with coloured words, or its table, within a column."""
    return fragment(_text(result) if isinstance(result, Attribution) else [r"\par\noindent", *fitted(result.columns())])


def fragment(lines: Iterable[str]) -> bytes:
    """The lines below the packages they need, the engines that draw their letters, and their macros."""
    body = "\n".join(lines)
    head = [r"% needs \usepackage{booktabs,xcolor,graphicx}"]
    if r"\attncjk{" in body:
        head.append(
            "% has Chinese, Japanese or Korean: XeLaTeX with xeCJK, LuaLaTeX with luatexja, upLaTeX, or pdfLaTeX in a "
            "CJK environment (CJKutf8); others show code points"
        )
    if r"\attnchar{" in body:
        head.append(
            "% has letters beyond Latin-1: XeLaTeX or LuaLaTeX draw those that the document's font has; pdfLaTeX, and "
            "fonts without them, show code points"
        )
    return ("\n".join((*head, _MACROS, body)) + "\n").encode("utf-8", "replace")


def tex(text: str) -> str:
    """Escaped for LaTeX.

    >>> tex("50% of a_b"), tex("c\u0430t"), tex("a\u200bb"), tex("--")
    ('50\\\\% of a\\\\_b', 'c\\\\attnchar{0430}{\u0430}t', 'a\\\\attncode{200B}b', '-{}-')
    """
    text = text.strip()
    escaped = "".join(
        _escaped(c) + ("{}" if c in _DOUBLED and text[i + 1 : i + 2] == c else "") for i, c in enumerate(text)
    )
    # At the beginning of a row these would be arguments of the `\\\\` before it.
    return "{}" + escaped if escaped.startswith(("[", "*")) else escaped


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _TEX:
        return _TEX[character]
    if 0x20 <= code < 0x7F or (0xA1 <= code <= 0xFF and code != 0xAD) or character in _EVERYWHERE:
        return character
    if code == 0xA0:
        return "~"
    kind = unicodedata.category(character)
    # What is not seen, and what no file may hold.
    if kind in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Zs") or "\ufe00" <= character <= "\ufe0f":
        return rf"\attncode{{{code:04X}}}"
    macro = "attncjk" if column(character) == 2 and kind != "So" else "attnchar"
    return rf"\{macro}{{{code:04X}}}{{{character}}}"


def signed(value: str) -> str:
    """A number with a minus that is one."""
    return value.replace("-", "$-$") if value.startswith("-") else value


def coloured(result: Attribution, steps: Sequence[int]) -> str:
    """The text with its words in coloured boxes, spaces where the text has them. steps: (word,) colours."""
    colours = colours_for(result.signed, False).steps
    parts = []
    for piece in pieces(result):
        if piece.word is None or not piece.text.strip():
            parts.append(r"\hspace{0pt}" + tex(piece.text) + " " if piece.text.strip() else " ")
            continue
        colour = colours[steps[piece.word]]
        for part in _boxed(piece.text.strip()):
            parts.append(
                rf"\attnword{{{colour[1:].upper()}}}{{{text_on(colour)[1:].upper()}}}{{{tex(part)}}}\hspace{{0pt}}"
            )
        if piece.text[-1:].isspace():
            parts.append(" ")
    return "\n".join("".join(parts).split("\n"))


def _boxed(text: str) -> list[str]:
    """A word in parts that a line can hold; a passage word by word."""
    parts: list[str] = []
    for word in text.split():
        part = ""
        for character in word:
            if columns(part) >= _LONGEST_BOX:
                parts.append(part)
                part = ""
            part += character
        parts.append(part)
    return parts


def _text(result: Attribution) -> list[str]:
    caption = caption_of(result)
    colours = colours_for(result.signed, False)
    low, high = limits(result)
    lines = [rf"\par\noindent\textbf{{{tex(caption.title)}}}"]
    if said := headline(result):
        lines.append(rf"\hfill ``{tex(said[0])}'' {tex(said[1])}")
    text = coloured(result, [colours.step(float(scaled)) for scaled in result.scaled])
    lines.append(rf"\par\noindent{{\raggedright {text}\par}}")
    ends = (colours.steps[0], low), (colours.steps[32], (low + high) / 2), (colours.steps[-1], high)
    legend = " ".join(
        rf"\attnword{{{colour[1:].upper()}}}{{{text_on(colour)[1:].upper()}}}{{{signed(number(value))}}}"
        for colour, value in ends
    )
    lines.append(rf"\par\noindent{{\footnotesize\raggedright {legend} {tex(unit(result))}\par}}")
    if result.asked.segments or result.measured.standard_error:
        table = result.columns()
        if result.measured.standard_error:
            table["standard_error"] = np.array(result.measured.standard_error)
        lines += [r"\par\smallskip\noindent", *fitted(table)]
    return lines


def fitted(table: Columns) -> list[str]:
    """A table of a column's width, with booktabs' rules: means with their intervals, the strongest rows where many."""
    table = {name: values for name, values in table.items() if name not in _PLACES}
    count = len(next(iter(table.values()), ()))
    shown = np.arange(count)
    lines = []
    if count > _MOST_ROWS:
        if "score" in table:
            shown = np.sort(np.argsort(-np.abs(table["score"]), kind="stable")[:_MOST_ROWS])
        shown = shown[:_MOST_ROWS]
        which = "strongest" if "score" in table else "first"
        lines.append(f"% the {which} {_MOST_ROWS} of {count:,} rows; all are in the .csv")
    cells: dict[str, list[str]] = {}
    texts = []
    for name, values in table.items():
        if name in ("low", "high") and {"low", "high"} < set(table):
            continue
        if np.issubdtype(values.dtype, np.number):
            cells[name] = [_number(values[i]) for i in shown]
        else:
            texts.append(name)
            cells[name] = [_said(values[i]) for i in shown]
    middle = next((name for name in ("mean", "score", "effect") if name in cells), None)
    if middle and {"low", "high"} <= set(table):
        ends = [(_number(table["low"][i]), _number(table["high"][i])) for i in shown]
        cells[middle] = [f"{value} [{low}, {high}]" for value, (low, high) in zip(cells[middle], ends, strict=True)]
    long = [name for name in texts if any(map(_is_long, map(str, table[name])))]
    for name in long:
        cells[name] = [rf"\raggedright\hspace{{0pt}}{cell}" for cell in cells[name]]
    kinds = dict.fromkeys(texts, "l") | {name: f"p{{{0.6 / len(long):.2f}\\linewidth}}" for name in long}
    form = "".join(kinds.get(name, "r") for name in cells)
    rows = [" & ".join(row) + r" \tabularnewline" for row in zip(*cells.values(), strict=True)]
    head = " & ".join(tex(name.replace("_", " ")) for name in cells) + r" \\"
    return [*lines, *booktabs(form, [head], rows)]


def booktabs(form: str, head: Sequence[str], rows: Sequence[str]) -> list[str]:
    """A tabular with booktabs' rules in small print, made smaller where it is wider than the column."""
    return [
        r"{\footnotesize\setlength{\tabcolsep}{3pt}\attnfit{%",
        rf"\begin{{tabular}}{{@{{}}{form}@{{}}}}",
        r"\toprule",
        *head,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}}",
    ]


def _number(value: float) -> str:
    return "--" if np.isnan(value) or np.isinf(value) else signed(tex(number(float(value))))


def _is_long(text: str) -> bool:
    return columns(text) > _LONGEST_BOX


def _said(value: object) -> str:
    if value is None:
        return "--"
    line = " ".join(str(value).split())
    return tex(line if len(line) <= _LONGEST_CELL else line[: _LONGEST_CELL - 1] + "…")
