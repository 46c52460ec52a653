"""The figure of a comparison, as in PromptRobust's Table 5: each text with its words shaded, and its prediction."""

from typing import Any

import numpy as np

from attnscope.render.content.caption import caption_of
from attnscope.render.content.comparison import moved_text, scale_of, verdict_sign
from attnscope.render.content.line_breaking import Line
from attnscope.render.content.pieces import visible
from attnscope.render.figure.attribution import Sheet, sheet_file, wrapped
from attnscope.results.comparison import Comparison
from attnscope.translation import say

_VERDICTS = {False: {"right": "#0a6b3d", "wrong": "#b3261e"}, True: {"right": "#58d39a", "wrong": "#ff9a90"}}


def render_figure(
    pair: Comparison,
    *,
    form: str,
    scale: float,
    max_line_chars: int | None = None,
    font: Any = None,
    font_size: float | None = None,
    dark: bool = False,
) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""

    def sheet(chars: int, size: float) -> Sheet:
        texts = wrapped([pair.left.result, pair.right.result], chars, size, scale, more=6)
        return _sheet(pair, texts, font, size, dark)

    return sheet_file(sheet, form, scale, max_line_chars, font_size)


def _said(name: str) -> str:
    """A side's name; those that nobody gave are said."""
    return say(name) if name in ("clean", "adversarial") else name


def _sheet(pair: Comparison, texts: list[list[Line]], font: Any, size: float, dark: bool) -> Sheet:
    scale = scale_of(pair)
    sides = (pair.left, pair.right)
    facts = [f"{k} {v}" for k, v in pair.tags.items()]
    facts += [f"{say(k)} {v}" for k, v in caption_of(pair.right.result).facts if k in ("model", "method", "target")]
    characters = "".join(line.text for text in texts for line in text) + "".join(facts) + scale.words + "✓✗·"
    characters += "".join(side.name + "".join(label for label, _ in side.probabilities) for side in sides)
    sheet = Sheet(visible(characters), pair.left.result.signed, font, size, dark)
    sheet.facts([visible(fact) for fact in facts], 80)
    steps = len(sheet.colours.steps)
    for side, text, colours in zip(sides, texts, (scale.left, scale.right), strict=True):
        sheet.space()
        sheet.line([(visible(_said(side.name)), sheet.colours.muted)])
        # The middle of a step stays in that step, however it is rounded.
        sheet.body(text, (np.array(colours) + 0.5) / steps, frozenset())
        if side.prediction is not None:
            sign, kind, spoken = verdict_sign(pair, side)
            ink = _VERDICTS[dark].get(kind, sheet.colours.ink)
            share = dict(side.probabilities)[side.prediction]
            sheet.line(
                [
                    (say("Prediction: "), sheet.colours.muted),
                    (f"{sign} {visible(side.prediction.strip())}" + (f" ({spoken})" if spoken else ""), ink),
                    (f"  {share:.1%}", sheet.colours.muted),
                ]
            )
    sheet.space()
    sheet.legend(scale.low, scale.high, scale.words)
    if pair.edits:
        said = say("Attention moved to the edited words: {moved} of all scores.", moved=moved_text(pair))
        sheet.facts(said.split(" "), 80, " ")
    return sheet
