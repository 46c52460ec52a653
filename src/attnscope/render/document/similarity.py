"""The similarity of two texts as plain text: what it adds up to, the strongest pairs, and the map where it fits."""

from attnscope.render.content.caption import number
from attnscope.render.content.pieces import columns, lined_up, visible
from attnscope.render.content.similarity import facts_of, sums_of, title_of
from attnscope.results.files.reading import encoded
from attnscope.results.similarity import Similarity

# The map is printed where its lines have at most so many columns.
_WIDEST, _STRONGEST = 100, 10


def render_text(result: Similarity) -> bytes:
    """The caption, the strongest pairs, and the map. UTF-8."""
    lines = [title_of(result), *(f"{name}: {value}" for name, value in facts_of(result)), *sums_of(result), ""]
    names = [[visible(word.text.strip()) or "␣" for word in side.words] for side in (result.left, result.right)]
    strongest = [(names[0][i], names[1][j], number(score)) for i, j, score in result.strongest(_STRONGEST)]
    lines += lined_up([("left", "right", "score"), *strongest])
    table = lined_up(
        [
            ("", *names[1]),
            *(
                (name, *(f"{score:.3f}" for score in row))
                for name, row in zip(names[0], result.scores.tolist(), strict=True)
            ),
        ]
    )
    if max(map(columns, table)) <= _WIDEST:
        lines += ["", *table]
    return encoded("\n".join(lines) + "\n")
