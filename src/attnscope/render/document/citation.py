"""A citation as Markdown: the answer with footnotes."""

from attnscope.render.content.caption import number
from attnscope.render.content.citation import NONE, facts, name_of, notes
from attnscope.render.document.markdown import escaped
from attnscope.results.citation.citation import Citation
from attnscope.results.files.reading import encoded


def render_markdown(result: Citation) -> bytes:
    """The question, the answer with a footnote for each source that it is cited to, and the sources below.

    Footnotes are [^1], [^2], … in the order in which they are cited, as GitHub and Pandoc read them.
    """
    order: list[int] = []
    said = []
    for k, statement in enumerate(result.statements):
        cited = result.cited(k)
        order += [i for i in cited if i not in order]
        marks = "".join(f"[^{order.index(i) + 1}]" for i in cited) or f" *({NONE})*"
        said.append(f"{escaped(statement.text)}{marks}")
    parts = [f"**{escaped(result.question)}**", " ".join(said)]
    parts.append(" · ".join(f"{escaped(name)} {escaped(value)}" for name, value in facts(result)))
    parts += [escaped(note) for note in notes(result)]
    sums = result.scores.sum(0)
    for place, i in enumerate(order, 1):
        score = f"{escaped(number(float(sums[i])))} {escaped(result.unit)}"
        source = escaped(result.sources[i].text)
        parts.append(f"[^{place}]: **{escaped(name_of(result, i))}** ({score}): {source}")
    return encoded("\n\n".join(parts) + "\n")
