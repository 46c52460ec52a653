"""Scores made elsewhere, as a method: what a caller measured, a person marked or another tool computed."""

from collections.abc import Sequence

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.table import Method
from attnscope.methods.task import Scores, Task
from attnscope.results.attribution import Attribution


def given_scores(results: Sequence[Attribution]) -> Method:
    """A method that returns the scores of these results, each for its own text.

    Words need not be those of the task: a score is shared out over the characters of its word, and a unit gets the
    shares of its own characters, so that the scores of a text add up to what they were.

    results: one for each text, by one method, such as `Attribution.of(text, words, scores)`. Raises InputError for an
    empty list and for results of different methods; the method raises it for a text that none of them is about.
    """
    names = {result.method for result in results}
    if len(names) != 1:
        what = "an empty list" if not names else f"results of the methods {', '.join(sorted(names))}"
        raise InputError(f"scores made elsewhere were given as {what}: give one result for each text, by one method")
    by_text = {result.text: result for result in results}

    def given(task: Task) -> Scores:
        result = by_text.get(task.encoded.text)
        if result is None:
            raise InputError(
                f"there are no scores of the text {task.encoded.text[:60]!r}: give a result for each text, as it stands"
            )
        per_character = np.zeros(len(result.text) + 1)
        for word in result.words:
            per_character[word.start : word.end] += word.score / (word.end - word.start)
        units = [per_character[span.start : span.end].sum() for span in task.units.spans]
        return Scores(units=np.array(units), values=task.values(), signed=result.signed)

    given.__name__ = names.pop()
    return Method(given, family="own", unit="given scores")
