"""One sentence, coloured by every method: the pictures of the site's page of methods, as HTML with the words in it.

.ci/figures/methods.py makes them anew.
"""

import html
import json
from pathlib import Path
from typing import Any

import attnscope as ats
from attnscope.render.colours import colours_for, text_on

KEPT = Path(__file__).parents[1] / "docs" / "site" / "method_strips.json"
REVIEW = "The plot is thin, but the acting is wonderful."
TEXT = f"Review: {REVIEW}\nSentiment:"
TARGET, AGAINST = " positive", " negative"


def strips() -> dict[str, str]:
    """Method → the sentence in its colours."""
    return dict(json.loads(KEPT.read_text("utf-8")))


def make() -> None:
    """Write them anew."""
    model = ats.load()
    made = {name: strip(explained(model, name)) for name in ats.METHODS}
    KEPT.write_text(json.dumps(made, indent=0) + "\n", "utf-8")


def explained(model: ats.Model, name: str) -> ats.Attribution:
    """The sentence by a method with its defaults: why it goes on as it does, or where it looks from its last token."""
    asked: dict[str, Any] = (
        {"query": -1} if ats.METHODS[name].asks == "query" else {"target": TARGET, "against": AGAINST}
    )
    within = (TEXT.index(REVIEW), TEXT.index(REVIEW) + len(REVIEW))
    return ats.explain(model, TEXT, method=name, within=within, **asked)


def strip(result: ats.Attribution) -> str:
    """A line of HTML: each word in its colours on a light and on a dark page, its score where the pointer is."""
    parts, end = [], result.words[0].start
    for word, scaled in zip(result.words, result.scaled, strict=True):
        light, dark = (colours_for(result.signed, dark).colour(float(scaled)) for dark in (False, True))
        style = f"--l:{light};--l-ink:{text_on(light)};--d:{dark};--d-ink:{text_on(dark)}"
        parts.append(html.escape(result.text[end : word.start]))
        parts.append(f'<span style="{style}" title="{word.score:.3g}">{html.escape(word.text)}</span>')
        end = word.end
    return f'<span class="strip">{"".join(parts)}</span>'


def overview(made: dict[str, str]) -> str:
    """All of them below each other, by family."""
    rows, family = [], ""
    for name, method in ats.METHODS.items():
        if method.family != family:
            family = method.family
            rows.append(f'<div class="family">{family}</div>')
        rows.append(f'<div><a href="#{name}"><code>{name}</code></a></div><div>{made[name]}</div>')
    return f'<div class="strips">{"".join(rows)}</div>'
